/* global uPlot */
// Lag over the last day: small in every row that can be seen, large in an open one. Drawn by uPlot.

import { duration } from "./words.js";

const FONT = "11px system-ui, sans-serif";
const STEPS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 2592000]; // seconds
const LINES = ["--series-1", "--series-2", "--series-3", "--series-4"];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A line without axes. `points` are [Unix seconds, lag in seconds or null], oldest first. */
export function sparkline(where, points, max) {
  return new uPlot({
    width: where.clientWidth || 96, height: where.clientHeight || 22,
    legend: { show: false }, cursor: { show: false }, select: { show: false }, padding: [2, 0, 2, 0],
    axes: [{ show: false }, { show: false }],
    scales: { x: { time: false }, y: { range: (_, low, high) => [0, Math.max(high ?? 0, (max ?? 0) * 0.25, 1)] } },
    series: [{}, { stroke: colour("--series-1"), width: 1.25, points: { show: false }, spanGaps: false }],
  }, [points.map(([at]) => at), points.map(([, lag]) => lag)], where);
}

/** All targets of a table in one picture, with the budget as dashed lines. */
export function chart(where, series, budget) {
  const times = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const lags = series.map(({ points }) => times.map((time) => new Map(points).get(time)));
  const highest = Math.max(1, ...lags.flat().filter((lag) => lag != null));
  const levels = [
    { name: "aim", seconds: budget?.target_lag_seconds, stroke: "--yellow" },
    { name: "at most", seconds: budget?.max_lag_seconds, stroke: "--red" },
  ].filter(({ seconds }) => seconds != null && seconds <= highest * 3);
  const top = Math.max(highest, ...levels.map(({ seconds }) => seconds)) * 1.1;
  const thin = { stroke: colour("--line"), width: 1 };
  const axis = { stroke: colour("--faint"), grid: thin, ticks: thin, font: FONT };
  return new uPlot({
    width: where.clientWidth || 600, height: 180,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1e3), "Etc/UTC"),
    scales: { y: { range: [0, top] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((at) => time(at).slice(0, 5)) },
      { ...axis, size: 80, incrs: STEPS, values: (_, ticks) => ticks.map(duration) },
    ],
    series: [
      { label: "UTC", value: (_, at) => (at == null ? "–" : time(at)) },
      ...series.map(({ name }, at) => ({
        label: name, stroke: colour(LINES[at % LINES.length]), width: 1.5, points: { show: false },
        value: (_, lag) => (lag == null ? "–" : duration(lag)),
      })),
    ],
    hooks: { draw: [(plot) => drawLevels(plot, levels)] },
  }, [times, ...lags], where);
}

const time = (at) => new Date(at * 1e3).toISOString().slice(11, 19);

function drawLevels(plot, levels) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.setLineDash([6, 4]);
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  for (const [at, { name, seconds, stroke }] of levels.entries()) {
    const y = plot.valToPos(seconds, "y", true);
    ctx.strokeStyle = ctx.fillStyle = colour(stroke);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillText(name, bbox.left + (6 + 60 * at) * devicePixelRatio, y - 2);
  }
  ctx.restore();
}
