// Before the page is drawn, so that it does not flash in the other colours.
'use strict';
(() => {
  try {
    const chosen = localStorage.getItem('hpcrun.theme');
    if (chosen === 'light' || chosen === 'dark') {
      document.documentElement.dataset.theme = chosen;
    }
  } catch {
    // A browser that keeps nothing for pages: as the system has it.
  }
})();
