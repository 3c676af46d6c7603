import { Moon, Sun } from "lucide-react";
import { useState } from "react";

/** Switches between light and dark and remembers the choice; `theme.js` applies it on the next visit. */
export function ThemeButton() {
  const [isDark, setIsDark] = useState(() => document.documentElement.classList.contains("dark"));

  const change = () => {
    const next = !isDark;
    document.documentElement.classList.toggle("dark", next);
    try {
      localStorage.setItem("theme", next ? "dark" : "light");
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
    setIsDark(next);
  };

  return (
    <button
      type="button"
      onClick={change}
      aria-label={isDark ? "Use the light theme" : "Use the dark theme"}
      className="flex size-8 items-center justify-center rounded-md text-fg-muted transition-colors hover:bg-muted hover:text-fg pointer-coarse:size-10"
    >
      {isDark ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />}
    </button>
  );
}
