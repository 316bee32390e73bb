/** An appointment as the sample's HTTP service answers it. */
export interface Appointment {
  readonly id: number;
  readonly doctor: string;
  readonly room: string;
  /** RFC 3339, UTC. */
  readonly starts: string;
  readonly status: 'booked' | 'cancelled' | 'done';
  readonly patient: {
    readonly id: number;
    readonly name: string;
    readonly email: string;
    readonly phone: string;
    readonly birthDate: string;
  };
}

const firstNames = ['Ada', 'Bela', 'Cora', 'Dario', 'Edda', 'Falk', 'Gesa', 'Hauke'] as const;
const familyNames = ['Zyxquartz', 'Brehm', 'Castell', 'Dorn', 'Ehlers', 'Fink', 'Gross'] as const;
const doctors = ['d-1', 'd-2', 'd-3', 'd-4'] as const;
const statuses = ['booked', 'booked', 'done', 'cancelled'] as const;

const two = (value: number): string => String(value).padStart(2, '0');

/** The same appointments each time: a linear congruential generator (Numerical Recipes) with a fixed seed. */
export function appointmentsOf(count: number): readonly Appointment[] {
  let state = 20_260_101;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const of = <Value>(values: readonly [Value, ...Value[]]): Value =>
    values[below(values.length)] ?? values[0];
  return Array.from({ length: count }, (_, index) => {
    const patient = 1 + below(4000);
    const family = index === 0 ? 'Zyxquartz' : of(familyNames);
    const first = of(firstNames);
    return {
      id: index + 1,
      doctor: of(doctors),
      room: `R${1 + below(12)}`,
      starts: `2026-${two(1 + below(12))}-${two(1 + below(28))}T${two(8 + below(9))}:00:00Z`,
      status: of(statuses),
      patient: {
        id: patient,
        name: `${first} ${family}`,
        email: `${first}.${family}.${patient}@mail.example`.toLowerCase(),
        phone: `+49 30 ${100_000 + below(900_000)}`,
        birthDate: `${1940 + below(70)}-${two(1 + below(12))}-${two(1 + below(28))}`,
      },
    };
  });
}
