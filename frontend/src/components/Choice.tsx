interface Option {
  id: string;
  label: string;
}

interface Properties {
  label: string;
  options: Option[];
  chosen: string;
  onChoose: (id: string) => void;
  look?: "pills" | "tabs";
}

const LOOKS = {
  pills: {
    group: "flex flex-wrap gap-1.5",
    option:
      "rounded-full border border-line-strong px-3 py-1 text-fg-muted hover:bg-muted has-checked:border-accent has-checked:bg-accent-soft has-checked:text-accent-text pointer-coarse:py-2.5",
  },
  tabs: {
    group: "flex min-w-0 overflow-x-auto overflow-y-hidden",
    option:
      "-mb-px border-b-2 border-transparent px-3.5 py-2.5 text-fg-muted hover:text-fg has-checked:border-accent has-checked:text-fg",
  },
};

/** One of a few, as native radio buttons: arrow keys work, screen readers count. */
export function Choice({ label, options, chosen, onChoose, look = "pills" }: Properties) {
  const { group, option } = LOOKS[look];
  return (
    <div role="radiogroup" aria-label={label} className={group}>
      {options.map(({ id, label: text }) => (
        <label
          key={id}
          className={`cursor-pointer text-[13px] font-medium whitespace-nowrap transition-colors has-focus-visible:outline-2 has-focus-visible:-outline-offset-2 has-focus-visible:outline-accent ${option}`}
        >
          <input
            type="radio"
            className="sr-only"
            checked={id === chosen}
            onChange={() => {
              onChoose(id);
            }}
          />
          {text}
        </label>
      ))}
    </div>
  );
}
