import { CountersignError } from '@countersign/errors';

const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Seconds of `90s`, `15m`, `8h` or `7d`. Throws request.invalid. */
export function secondsOf(text: string): number {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  const unit = units[match?.[2] as keyof typeof units];
  if (match === null || unit === undefined) {
    throw new CountersignError('request.invalid', { detail: 'A period looks like 90s, 15m, 8h or 7d.' });
  }
  return Number(match[1]) * unit;
}

/** `2026-01-31 12:30:00 UTC (in 9 min)` */
export function momentOf(seconds: number, now: number): string {
  const text = new Date(seconds * 1000).toISOString().replace('T', ' ').replace('.000Z', ' UTC');
  const away = Math.abs(seconds - now);
  const amount =
    away < 120 ? `${away} s` : away < 7200 ? `${Math.round(away / 60)} min` : `${Math.round(away / 3600)} h`;
  return `${text} (${seconds >= now ? `in ${amount}` : `${amount} ago`})`;
}
