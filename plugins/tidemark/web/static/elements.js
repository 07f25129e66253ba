// Making elements. Text is always text here: names and error messages come from outside.

/** element("a", {href: "/", class: "x"}, "text", another, null, …) */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Show a text in an element that may be hidden. Equal text is left alone: it would be read aloud again. */
export function say(where, text) {
  if (where.textContent !== text) where.textContent = text;
  where.hidden = !text;
}
