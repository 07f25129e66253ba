// How figures are written. Times are UTC, as everywhere in this project.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

/** A duration in its one or two greatest units: "3 d 4 h", "12 min", "1 min 30 s", "0.4 s". */
export function duration(seconds) {
  if (seconds == null) return "unknown";
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  const first = UNITS.findIndex(([, length]) => whole >= length);
  const [unit, length] = UNITS[first];
  const alone = Math.round(whole / length);
  if (unit === "s" || (alone >= 10 && unit !== "h")) return `${alone} ${unit}`;
  const count = Math.floor(whole / length);
  const next = UNITS[first + 1];
  const more = Math.floor((whole % length) / next[1]);
  return more ? `${count} ${unit} ${more} ${next[0]}` : `${count} ${unit}`;
}

/** "17:42:03 UTC", with the day if that is not today's. */
export function instant(text, now = new Date()) {
  if (!text) return "never";
  const iso = new Date(text).toISOString();
  const day = iso.slice(0, 10) === now.toISOString().slice(0, 10) ? "" : `${iso.slice(0, 10)} `;
  return `${day}${iso.slice(11, 19)} UTC`;
}

export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : noun.endsWith("h") ? "es" : "s"}`;
}

export function bytes(number) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (number >= 1024 && at < units.length - 1) { number /= 1024; at += 1; }
  return `${at && number < 100 ? number.toFixed(1) : Math.round(number)} ${units[at]}`;
}

/** As many places as tell 99.95 % from 100 %. */
export function percent(share) {
  const value = share * 100;
  const near = Math.abs(100 - value);
  return `${Number(value.toFixed(near > 0 && near < 1 ? 3 : 1))} %`;
}

/** The points of a day's slots: [[Unix seconds, lag or null], …], oldest first. */
export function points({ ends_at: ends, slot_seconds: slot, lags }) {
  const end = Date.parse(ends) / 1000;
  return lags.map((lag, at) => [end - (lags.length - 1 - at) * slot, lag]);
}
