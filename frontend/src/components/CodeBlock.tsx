import type { ReactNode } from "react";

import { CopyButton } from "./CopyButton";

/** Text to copy, in mono. `header` stands at the left of the copy button; without it the button stands beside the text. */
export function CodeBlock({
  text,
  what,
  header,
}: {
  text: string;
  what: string;
  header?: ReactNode;
}) {
  const code = (
    <pre
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls sideways must be reachable by keyboard
      tabIndex={0}
      role="region"
      aria-label={what}
      className="min-w-0 flex-1 overflow-x-auto px-3.5 py-2.5 font-mono text-[12px]/[18px] text-fg"
    >
      {text}
    </pre>
  );
  if (!header)
    return (
      <div className="flex items-start rounded-lg border border-line bg-subtle">
        {code}
        <div className="p-1">
          <CopyButton text={text} what={what} />
        </div>
      </div>
    );
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-subtle">
      <div className="flex items-center justify-between border-b border-line pr-1">
        {header}
        <CopyButton text={text} what={what} />
      </div>
      {code}
    </div>
  );
}
