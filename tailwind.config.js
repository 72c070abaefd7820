// Build-time only. The classes of the pages are components (static/css), so nothing is scanned for utilities;
// the few that pages use are named in app.css.
/** @type {import("tailwindcss").Config} */
export default {
  content: [],
  theme: {
    // Below card, rows become cards; below narrow, ids move under titles; below wide, the rail goes below the list.
    screens: { card: "640px", narrow: "1024px", wide: "1280px" },
  },
};
