// Dark or light, and in which colours: as the Airflow page around this one; alone, as the system.

const BORROWED = { "--ground": "bg", "--raised": "bg-muted", "--ink": "fg", "--faint": "fg-muted", "--line": "border" };

/** Follow the surroundings from now on, and call `changed` whenever they change. */
export function followTheme(changed) {
  const around = surroundings();
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const dark = around ? around.classList.contains("dark") : system.matches;
    const root = document.documentElement;
    root.dataset.theme = dark ? "dark" : "light";
    const styles = around && getComputedStyle(around);
    for (const [ours, theirs] of Object.entries(BORROWED)) {
      const colour = styles?.getPropertyValue(`--chakra-colors-${theirs}`).trim();
      if (colour) root.style.setProperty(ours, colour);
      else root.style.removeProperty(ours);
    }
    changed();
  };
  if (around) new MutationObserver(apply).observe(around, { attributes: true, attributeFilter: ["class", "style"] });
  system.addEventListener("change", apply);
  apply();
}

function surroundings() {
  try {
    return window.parent === window ? null : window.parent.document.documentElement;
  } catch {
    return null; // framed by somebody else's page
  }
}
