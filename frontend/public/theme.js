// Runs before the first paint, so that a stored dark theme does not flash white. A file of its own: inline scripts are forbidden.
(function () {
  var stored = null;
  try {
    stored = localStorage.getItem("theme");
  } catch {
    // Storage is switched off: the system's theme it is.
  }
  var dark = stored ? stored === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.classList.toggle("dark", dark);
})();
