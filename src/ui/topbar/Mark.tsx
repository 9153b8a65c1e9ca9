const FAINT = [
  [5.2, 5.2],
  [8.7, 5.2],
  [5.2, 8.7],
  [12.2, 8.7],
  [5.2, 12.2],
  [12.2, 12.2],
] as const;
const KEPT = [
  [8.7, 8.7],
  [12.2, 5.2],
  [8.7, 12.2],
] as const;

/** The logo: a round field of patches, a few of them kept. */
export function Mark() {
  return (
    <svg viewBox="0 0 20 20" width="20" height="20" fill="none" aria-hidden="true">
      <circle cx="10" cy="10" r="8.2" stroke="currentColor" strokeWidth="1.6" />
      {FAINT.map(([x, y]) => (
        <rect
          key={`${x},${y}`}
          x={x}
          y={y}
          width="2.6"
          height="2.6"
          rx=".6"
          fill="currentColor"
          opacity=".28"
        />
      ))}
      {KEPT.map(([x, y]) => (
        <rect key={`${x},${y}`} x={x} y={y} width="2.6" height="2.6" rx=".6" fill="var(--accent)" />
      ))}
    </svg>
  );
}
