"""Tools as people offer them, and which of them prompts ask for."""

from __future__ import annotations

from typing import Any

from providers.emulated.question import Tool
from tests.providers.emulated.conversations import ADD, CALCULATOR, MULTIPLY, TIME, WEATHER


def tool(name: str, description: str, **kinds: Any) -> Tool:
    """A tool whose parameters are all required; their types by name."""
    properties = {key: {"type": kind} if isinstance(kind, str) else kind for key, kind in kinds.items()}
    return Tool(name, description, {"type": "object", "properties": properties, "required": list(properties)})


WEB = tool("search_web", "Search the web for information", query="string")
WIKIPEDIA = tool("wikipedia", "A wrapper around Wikipedia. Useful for general questions.", query="string")
TAVILY = tool("tavily_search_results_json", "A search engine for current events.", query="string")
RETRIEVE = tool("retrieve_documents", "Retrieve passages from the knowledge base", query="string")
NAVIGATE = tool("browser_navigate", "Navigate to a URL", url="string")
CLICK = tool("browser_click", "Perform a click on a web page", element="string", ref="string")
FETCH = tool("fetch", "Fetches a page from the internet and returns it as markdown", url="string")
READ = tool("read_file", "Read the contents of a file", path="string")
EDIT = tool("edit_file", "Replace text in a file", path="string", old_string="string", new_string="string")
WRITE = tool("write_file", "Write content to a file", path="string", content="string")
LIST = tool("list_files", "List the files in a directory", path="string")
FILES = [READ, EDIT, WRITE, LIST]
MCP_READ = tool("mcp__fs__read_text_file", "Read the complete contents of a file as text.", path="string")
MCP_LIST = tool("mcp__fs__list_directory", "Get a listing of all files and directories in a path.", path="string")
MCP_ISSUES = tool("github-search_issues", "Search for issues in GitHub repositories", query="string")
MCP_PULL = tool("github-create_pull_request", "Create a pull request in a GitHub repository", title="string")
BASH = tool("bash", "Run a shell command", command="string")
MAGIC = tool("magic_function", "Applies a magic function to an input.", input="integer")
EMAIL = tool("send_email", "Send an email", to="string", subject="string", body="string")
SLACK = tool("slack_post_message", "Post a message to a Slack channel", channel="string", text="string")
STOCK = tool("get_stock_price", "Get the current stock price", symbol="string")
ISSUE = tool("create_issue", "Create an issue in the tracker", title="string", body="string")
DATABASE = tool("query_database", "Run a SQL query against the database", sql="string")
CLOCK = Tool("get_current_time", "Get the current time", {"type": "object", "properties": {}})
TODAY = Tool("get_current_date", "Returns today's date", {"type": "object", "properties": {}})
BILLING = Tool("transfer_to_billing_agent", "Handoff to the Billing agent to handle the request.", {})
REFUNDS = Tool("transfer_to_refund_agent", "Handoff to the Refund agent to handle the request.", {})
SUPPORT = Tool("transfer_to_technical_support", "Handoff to the technical support agent.", {})
CALENDAR = tool("create_calendar_event", "Create an event in the calendar", title="string", date="string")
IMAGE = tool("generate_image", "Generate an image from a text prompt", prompt="string")
TRANSLATE = tool("translate_text", "Translate text", text="string", target_language="string")
CURRENCY = tool(
    "convert_currency", "Convert an amount between currencies", amount="number", source="string", target="string"
)
REMIND = tool("set_reminder", "Set a reminder", text="string", when="string")
LIGHTS = tool("turn_on_lights", "Turn the lights on in a room", room="string")
PYTHON = tool("python_repl", "A Python shell. Input should be a valid python command.", code="string")
ORDER = tool("get_order_status", "Get the status of an order", order_id="string")
EVERYTHING = [WEB, NAVIGATE, READ, EDIT, LIST, EMAIL, STOCK, ISSUE, DATABASE, CLOCK, CALCULATOR, WEATHER]
ROWS: list[tuple[list[Tool], str, list[str]]] = [
    # Facts are looked up where there is something to look them up with.
    ([WEB], "Who won the world cup in 2022?", ["search_web"]),
    ([WEB, CALCULATOR], "Who is the CEO of Nvidia?", ["search_web"]),
    ([WIKIPEDIA], "When was the Eiffel Tower built?", ["wikipedia"]),
    ([TAVILY], "What's the latest news about Mars?", ["tavily_search_results_json"]),
    ([TAVILY, WEATHER], "How tall is Mount Everest?", ["tavily_search_results_json"]),
    ([WEB], "Look up the population of Norway", ["search_web"]),
    ([WEB], "Find me a good pasta recipe", ["search_web"]),
    ([RETRIEVE], "What does our policy say about parental leave?", ["retrieve_documents"]),
    ([WEB, WEATHER], "What's the weather in Paris?", ["get_weather"]),
    ([WEB, CALCULATOR], "What is 12 * 7?", ["calculator"]),
    (EVERYTHING, "Who won the world cup in 2022?", ["search_web"]),
    # Values that fit what a tool takes.
    ([NAVIGATE, CLICK], "Open https://example.com", ["browser_navigate"]),
    ([NAVIGATE, CLICK], "Go to https://example.com/login", ["browser_navigate"]),
    ([FETCH], "Summarize https://example.com/article", ["fetch"]),
    (EVERYTHING, "Open https://example.com", ["browser_navigate"]),
    ([EMAIL], "Email bob@example.org that I am late", ["send_email"]),
    ([EMAIL, SLACK], "Tell bob@example.org that the build is green", ["send_email"]),
    (EVERYTHING, "Write to bob@example.org that I am late", ["send_email"]),
    ([STOCK], "AAPL price?", ["get_stock_price"]),
    ([STOCK, WEATHER], "How is NVDA doing today?", ["get_stock_price"]),
    ([STOCK, WEB], "What is TSLA trading at?", ["get_stock_price"]),
    # Files.
    (FILES, "replace foo with bar in notes.txt", ["edit_file"]),
    (FILES, "Change the title to Ducks in README.md", ["edit_file"]),
    (FILES, "What does main.py do?", ["read_file"]),
    (FILES, "Show me src/app.ts", ["read_file"]),
    (FILES, "What is in /tmp?", ["list_files"]),
    (FILES, "Which files are in /etc/nginx?", ["list_files"]),
    (FILES, "Save hello to greeting.txt", ["write_file"]),
    ([READ], "What is in /etc/hosts?", ["read_file"]),
    ([LIST], "What is in /tmp?", ["list_files"]),
    ([BASH], "What is in /tmp?", ["bash"]),
    ([BASH], "Run the tests", ["bash"]),
    ([MCP_READ, MCP_LIST], "What is in /data/report.txt?", ["mcp__fs__read_text_file"]),
    ([MCP_READ, MCP_LIST], "What is in /data?", ["mcp__fs__list_directory"]),
    # What is meant by other words.
    ([MAGIC], "apply the magic function to 3", ["magic_function"]),
    ([CALCULATOR], "What's 3 + 4?", ["calculator"]),
    ([ADD], "What's 3 + 4?", ["add"]),
    ([ADD, MULTIPLY], "What's 3 * 4?", ["multiply"]),
    ([PYTHON], "What is 2 ** 10?", ["python_repl"]),
    ([ISSUE], "File a bug: the login page crashes", ["create_issue"]),
    ([MCP_ISSUES, MCP_PULL], "Are there open bugs about login?", ["github-search_issues"]),
    ([MCP_ISSUES, MCP_PULL], "Open a PR for this branch", ["github-create_pull_request"]),
    ([DATABASE], "How many users signed up last week?", ["query_database"]),
    (EVERYTHING, "How many users signed up last week?", ["query_database"]),
    ([CLOCK], "What time is it?", ["get_current_time"]),
    ([CLOCK, TODAY], "What day is it today?", ["get_current_date"]),
    ([BILLING, SUPPORT], "I have a question about my invoice", ["transfer_to_billing_agent"]),
    ([BILLING, REFUNDS], "I want my money back", ["transfer_to_refund_agent"]),
    ([BILLING, SUPPORT], "My app keeps crashing", ["transfer_to_technical_support"]),
    ([CALENDAR], "Schedule a meeting with Ann on Friday", ["create_calendar_event"]),
    ([IMAGE], "Draw a duck on a pond", ["generate_image"]),
    ([TRANSLATE], "How do you say good morning in French?", ["translate_text"]),
    ([CURRENCY], "How much is 100 USD in EUR?", ["convert_currency"]),
    ([REMIND], "Remind me to buy milk tomorrow", ["set_reminder"]),
    ([LIGHTS], "Switch the lights on in the kitchen", ["turn_on_lights"]),
    ([ORDER], "Where is my package?", ["get_order_status"]),
    ([WEB, WEATHER], "Is it raining in Oslo?", ["get_weather"]),
    # Nothing to call.
    ([EMAIL], "What's the capital of France?", []),
    ([WEATHER, TIME], "Who won the world cup in 2022?", []),
    ([EMAIL], "Write a poem about the sea", []),
    ([EMAIL], "Write an email to my boss asking for a raise", []),
    ([WEATHER], "I love this weather!", []),
    ([CLOCK], "I have no time for this", []),
    ([WEB], "Translate 'search' to French", []),
    (FILES, "Delete notes.txt", []),
    (FILES, "What is Node.js?", []),
    ([EMAIL, SLACK], "What do you think of modern art?", []),
    ([STOCK], "What does API mean?", []),
    ([READ, LIST], "What is the meaning of life?", []),
    ([NAVIGATE], "Who are you?", []),
    ([DATABASE], "How many legs does a spider have?", []),
    ([BILLING, SUPPORT], "Hi there!", []),
    ([WEATHER], "What time is it?", []),
    *(
        (EVERYTHING, prompt, [])
        for prompt in (
            "Hello!",
            "hi",
            "Good morning, how are you?",
            "Thanks, that helped a lot.",
            "Thank you!",
            "Tell me a joke",
            "Tell me a story about a duck",
            "Write a haiku about rain in spring",
            "Write a short poem",
            "Who are you?",
            "What can you do?",
            "What is your name?",
            "What do you think about love?",
            "How are you doing today?",
            "Do you like cats?",
            "Goodbye",
            "ok",
            "My name is Ann.",
            "I feel sad today.",
            "Say hello.",
            "Explain recursion to a child",
            "Write a function that reverses a string",
            "",
        )
    ),
]
