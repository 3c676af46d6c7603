import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";

const SHOWN_MS = 1_600;

/** `what` completes "Copy …" for those who cannot see what it stands beside. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [result, setResult] = useState<"copied" | "failed" | null>(null);

  useEffect(() => {
    if (!result) return;
    const timer = setTimeout(() => {
      setResult(null);
    }, SHOWN_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [result]);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setResult("copied");
    } catch {
      setResult("failed"); // no permission, or a page that came over plain HTTP from another machine
    }
  };

  return (
    <button
      type="button"
      aria-label={`Copy ${what}`}
      onClick={() => void copy()}
      className="flex h-7 shrink-0 items-center gap-1.5 rounded-md px-2 text-[13px] font-medium text-fg-muted transition-colors hover:bg-muted hover:text-fg pointer-coarse:h-10"
    >
      {result === "copied" ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      <span aria-live="polite">
        {result === "copied" ? "Copied" : result === "failed" ? "Select and copy by hand" : "Copy"}
      </span>
    </button>
  );
}
