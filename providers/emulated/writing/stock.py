"""Ready-made words: capitals, lists, phrases, verses and pieces of code."""

from __future__ import annotations

CAPITALS = {
    "argentina": "Buenos Aires", "australia": "Canberra", "austria": "Vienna", "belgium": "Brussels",
    "brazil": "Brasília", "canada": "Ottawa", "chile": "Santiago", "china": "Beijing", "croatia": "Zagreb",
    "czechia": "Prague", "denmark": "Copenhagen", "egypt": "Cairo", "england": "London", "finland": "Helsinki",
    "france": "Paris", "germany": "Berlin", "greece": "Athens", "hungary": "Budapest", "iceland": "Reykjavík",
    "india": "New Delhi", "indonesia": "Jakarta", "ireland": "Dublin", "italy": "Rome", "japan": "Tokyo",
    "kenya": "Nairobi", "mexico": "Mexico City", "morocco": "Rabat", "netherlands": "Amsterdam",
    "new zealand": "Wellington", "nigeria": "Abuja", "norway": "Oslo", "peru": "Lima", "philippines": "Manila",
    "poland": "Warsaw", "portugal": "Lisbon", "romania": "Bucharest", "russia": "Moscow", "scotland": "Edinburgh",
    "south korea": "Seoul", "spain": "Madrid", "sweden": "Stockholm", "switzerland": "Bern", "thailand": "Bangkok",
    "turkey": "Ankara", "uk": "London", "ukraine": "Kyiv", "united kingdom": "London",
    "united states": "Washington, D.C.", "usa": "Washington, D.C.", "us": "Washington, D.C.", "vietnam": "Hanoi",
}  # fmt: skip

_COLOURS = ("Red", "Blue", "Green", "Yellow", "Orange", "Purple", "White", "Black", "Brown", "Pink")
_PLANETS = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune")
LISTS = {
    "colors": _COLOURS,
    "colours": _COLOURS,
    "fruits": ("Apple", "Banana", "Cherry", "Mango", "Orange", "Pear", "Grape", "Plum", "Peach", "Kiwi"),
    "vegetables": ("Carrot", "Broccoli", "Spinach", "Tomato", "Onion", "Pepper", "Cabbage", "Potato"),
    "animals": ("Dog", "Cat", "Elephant", "Horse", "Owl", "Dolphin", "Fox", "Bear", "Rabbit", "Otter"),
    "birds": ("Duck", "Robin", "Owl", "Eagle", "Sparrow", "Heron", "Swan", "Swift"),
    "countries": ("France", "Japan", "Brazil", "Canada", "Kenya", "India", "Norway", "Peru", "Italy", "Australia"),
    "cities": ("Paris", "Tokyo", "London", "Nairobi", "Lima", "Toronto", "Rome", "Sydney", "Berlin", "Seoul"),
    "planets": _PLANETS,
    "days": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "languages": ("Python", "JavaScript", "Go", "Rust", "Java", "C", "Ruby", "Swift", "Kotlin", "TypeScript"),
    "names": ("Ann", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Iris", "Jack"),
    "books": ("Middlemarch", "Moby-Dick", "Emma", "Dracula", "Frankenstein", "Jane Eyre", "Ulysses", "The Odyssey"),
    "sports": ("Football", "Tennis", "Swimming", "Basketball", "Running", "Rowing", "Cycling", "Hockey"),
    "numbers": ("1", "2", "3", "5", "8", "13", "21", "34", "55", "89"),
}
QUALITIES = (
    "the best known", "the simplest", "the most useful", "the oldest", "the most surprising", "the newest",
    "the most debated", "the easiest to remember", "the rarest", "the most practical",
)  # fmt: skip

PHRASES = {
    "french": {
        "hello": "bonjour", "good morning": "bonjour", "good evening": "bonsoir", "good night": "bonne nuit",
        "goodbye": "au revoir", "thank you": "merci", "thanks": "merci", "please": "s'il vous plaît", "yes": "oui",
        "no": "non", "cat": "chat", "hello world": "bonjour le monde", "how are you": "comment allez-vous ?",
        "i love you": "je t'aime", "water": "eau", "hello, how are you": "bonjour, comment allez-vous ?",
        "dog": "chien", "and": "et", "the": "le", "world": "monde", "good": "bon", "house": "maison",
        "i love programming": "j'aime la programmation",
    },
    "spanish": {
        "hello": "hola", "good morning": "buenos días", "good evening": "buenas tardes",
        "good night": "buenas noches", "goodbye": "adiós", "thank you": "gracias", "thanks": "gracias",
        "please": "por favor", "yes": "sí", "no": "no", "hello world": "hola mundo", "how are you": "¿cómo estás?",
        "i love you": "te quiero", "cat": "gato", "dog": "perro", "hello, how are you": "hola, ¿cómo estás?",
        "and": "y", "the": "el", "world": "mundo", "water": "agua", "house": "casa",
    },
    "german": {
        "hello": "hallo", "good morning": "guten Morgen", "good evening": "guten Abend", "good night": "gute Nacht",
        "goodbye": "auf Wiedersehen", "thank you": "danke", "thanks": "danke", "please": "bitte", "yes": "ja",
        "no": "nein", "hello world": "hallo Welt", "how are you": "wie geht es dir?", "i love you": "ich liebe dich",
        "cat": "Katze", "hello, how are you": "hallo, wie geht es dir?", "dog": "Hund", "and": "und", "the": "die",
        "world": "Welt", "i love programming": "ich liebe das Programmieren", "water": "Wasser", "house": "Haus",
    },
    "italian": {
        "hello": "ciao", "good morning": "buongiorno", "good evening": "buonasera", "good night": "buonanotte",
        "goodbye": "arrivederci", "thank you": "grazie", "thanks": "grazie", "please": "per favore", "yes": "sì",
        "no": "no", "hello world": "ciao mondo", "how are you": "come stai?", "i love you": "ti amo", "cat": "gatto",
        "dog": "cane", "and": "e", "the": "il", "world": "mondo", "water": "acqua", "house": "casa",
    },
}  # fmt: skip

_POEMS = (
    "In quiet light {subject} begins to stir,\nA thought half spoken on the turning air;\n"
    "The day leans in to listen, soft as fur,\nAnd finds {subject} already waiting there.",
    "O {subject}, plain and bright and near,\nYou ask for nothing, yet you stay;\n"
    "The evening folds, the stars appear,\nAnd still you gently light the way.",
    "I went to look for {subject} one day,\nAnd found a field, a gate, a stream;\n"
    "The wind had carried it away\nAnd left me standing in its dream.",
    "Say {subject} softly, say it slow,\nAs rivers say their names to stone;\n"
    "What we have loved is what we know,\nAnd what we know is not alone.",
)
VERSES = {
    "haiku": (
        "Thinking of {subject},\nsoft rain falls on the still pond.\nOne ripple, then peace.",
        "Morning light returns.\nA quiet thought of {subject}.\nThe world holds its breath.",
        "One leaf on the path,\nand beside it {subject}.\nNeither says a word.",
        "Late sun on the hill.\nSomeone speaks of {subject}.\nThe crickets agree.",
    ),
    "poem": _POEMS,
    "limerick": (
        "A writer who sang of {subject}\nFound rhyme was a difficult project;\nHe tried it all night,\n"
        "Till the morning was bright,\nAnd still he could hardly perfect it.",
        "There once was a duck on a spree\nWho looked for {subject} by the sea;\nIt asked every gull,\n"
        "For the day had been dull,\nAnd was home with the answer by tea.",
        "A baker who dreamt of {subject}\nMade bread of a curious effect:\nIt rose with the sun,\n"
        "And when it was done\nIt sang, which he did not expect.",
    ),
    "joke": (
        "Why did {subject} cross the road? To prove to the rubber duck that the bug was on the other side.",
        "I told a joke about {subject} to a rubber duck. It did not laugh, but it listened very patiently.",
        "What do {subject} and a debugger have in common? Both look simple until somebody asks how they work.",
        "I would tell you the one about {subject}, but you had to be there, and so did the duck.",
    ),
}
SUBJECTS = ("the morning", "the sea", "an old bridge", "the first snow", "a lost letter")
# A beginning, a middle and an end.
STORY = (
    (
        "Once there was a small duck who had never heard of {subject}.",
        "On the far side of the pond lived a heron who thought of nothing but {subject}.",
        "Long ago, before there were maps, a girl set out to find {subject}.",
        "Nobody in the village had ever seen {subject}, and everybody had an opinion.",
    ),
    (
        "One morning it all began: everyone was asked, and nobody had quite the same answer.",
        "The road was long, the weather changed twice, and a stranger gave good advice for half a sandwich.",
        "By noon the plan had failed, and by evening a better one had been found by accident.",
    ),
    (
        "At last there was enough to go home and tell the others, and from then on {subject} was part of every tale.",
        "In the end it turned out to have been close by all the time, which made the way there no less worth it.",
        "And if you listen on a quiet night, you can still hear somebody laughing about it.",
    ),
)

SMALL_WORDS_WORDS = (
    "a an the of in on for to and or with that which is are be it me my please write function code script program "
    "class method python javascript typescript java go golang rust ruby php bash sql using return returns given "
    "takes list"
)
SMALL_WORDS = frozenset(SMALL_WORDS_WORDS.split())
PYTHON = {
    "hello world": 'print("Hello, world!")',
    "reverse": 'def reverse(text: str) -> str:\n    """The text backwards."""\n    return text[::-1]',
    "fibonacci": (
        "def fibonacci(n: int) -> int:\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a"
    ),
    "factorial": "def factorial(n: int) -> int:\n    return 1 if n < 2 else n * factorial(n - 1)",
    "prime": (
        "def is_prime(n: int) -> bool:\n    return n > 1 and all(n % divisor for divisor in range(2, int(n**0.5) + 1))"
    ),
    "palindrome": "def is_palindrome(text: str) -> bool:\n    return text == text[::-1]",
    "add": "def add(a: float, b: float) -> float:\n    return a + b",
    "sort": "def in_order(values: list[int]) -> list[int]:\n    return sorted(values)",
}
CODE = {
    "python": (
        'def {name}(value):\n    """{subject}"""\n    result = value\n    return result\n\n\nprint({name}("example"))'
    ),
    "javascript": (
        "// {subject}\nfunction {name}(value) {\n  const result = value;\n  return result;\n}\n\n"
        "console.log({name}('example'));"
    ),
    "typescript": "// {subject}\nfunction {name}(value: string): string {\n  return value;\n}",
    "java": "// {subject}\nclass {Name} {\n    static String {name}(String value) {\n        return value;\n    }\n}",
    "go": "// {subject}\nfunc {name}(value string) string {\n\treturn value\n}",
    "rust": "// {subject}\nfn {name}(value: &str) -> String {\n    value.to_string()\n}",
    "ruby": "# {subject}\ndef {name}(value)\n  value\nend",
    "php": "<?php\n// {subject}\nfunction {name}(string $value): string {\n    return $value;\n}",
    "bash": '#!/usr/bin/env bash\n# {subject}\n{name}() {\n  echo "$1"\n}\n\n{name} "example"',
    "sql": "-- {subject}\nSELECT *\nFROM {name}\nORDER BY id\nLIMIT 10;",
    "html": "<!-- {subject} -->\n<section>\n  <h1>{Name}</h1>\n</section>",
    "cpp": "// {subject}\nstd::string {name}(const std::string& value) {\n    return value;\n}",
    "csharp": "// {subject}\nstatic string {Name}(string value) => value;",
    "kotlin": "// {subject}\nfun {name}(value: String): String = value",
    "swift": "// {subject}\nfunc {name}(_ value: String) -> String {\n    return value\n}",
}
