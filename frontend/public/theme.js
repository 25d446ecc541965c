// Sets the theme before the first paint, so that the page does not flash. src/theme/theme.ts takes over later.
(() => {
  const stored = localStorage.getItem("understudy-theme");
  const dark = stored === "dark" || (stored !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
