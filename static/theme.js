// Runs before the first paint, so that nothing flashes: theme and density as they were left, and whether
// ages may stay hidden until ui.js has written them.
(() => {
  const root = document.documentElement;
  const kept = (key) => {
    try { return localStorage.getItem("roomwatch." + key); } catch { return null; }
  };
  const theme = kept("theme");
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  if (kept("density") === "comfortable") root.dataset.density = "comfortable";
  root.dataset.js = "";
  addEventListener("load", () => { if (!("ticking" in root.dataset)) delete root.dataset.js; });
})();
