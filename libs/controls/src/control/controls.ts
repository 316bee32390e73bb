import type { Control } from './control.js';
import control2013_6_1_2 from './data/iso27001-2013-a.6.1.2.json' with { type: 'json' };
import control2013_8_2_3 from './data/iso27001-2013-a.8.2.3.json' with { type: 'json' };
import control2013_9_1_2 from './data/iso27001-2013-a.9.1.2.json' with { type: 'json' };
import control2013_9_2_1 from './data/iso27001-2013-a.9.2.1.json' with { type: 'json' };
import control2013_9_2_2 from './data/iso27001-2013-a.9.2.2.json' with { type: 'json' };
import control2013_9_2_3 from './data/iso27001-2013-a.9.2.3.json' with { type: 'json' };
import control2013_9_2_4 from './data/iso27001-2013-a.9.2.4.json' with { type: 'json' };
import control2013_9_2_6 from './data/iso27001-2013-a.9.2.6.json' with { type: 'json' };
import control2013_9_4_1 from './data/iso27001-2013-a.9.4.1.json' with { type: 'json' };
import control2013_9_4_2 from './data/iso27001-2013-a.9.4.2.json' with { type: 'json' };
import control2013_12_1_2 from './data/iso27001-2013-a.12.1.2.json' with { type: 'json' };
import control2013_12_4_1 from './data/iso27001-2013-a.12.4.1.json' with { type: 'json' };
import control2013_12_4_2 from './data/iso27001-2013-a.12.4.2.json' with { type: 'json' };
import control2013_12_4_3 from './data/iso27001-2013-a.12.4.3.json' with { type: 'json' };
import control2013_12_5_1 from './data/iso27001-2013-a.12.5.1.json' with { type: 'json' };
import control2013_16_1_7 from './data/iso27001-2013-a.16.1.7.json' with { type: 'json' };
import control2022_5_3 from './data/iso27001-2022-5.3.json' with { type: 'json' };
import control2022_5_10 from './data/iso27001-2022-5.10.json' with { type: 'json' };
import control2022_5_15 from './data/iso27001-2022-5.15.json' with { type: 'json' };
import control2022_5_16 from './data/iso27001-2022-5.16.json' with { type: 'json' };
import control2022_5_17 from './data/iso27001-2022-5.17.json' with { type: 'json' };
import control2022_5_18 from './data/iso27001-2022-5.18.json' with { type: 'json' };
import control2022_5_28 from './data/iso27001-2022-5.28.json' with { type: 'json' };
import control2022_8_2 from './data/iso27001-2022-8.2.json' with { type: 'json' };
import control2022_8_3 from './data/iso27001-2022-8.3.json' with { type: 'json' };
import control2022_8_5 from './data/iso27001-2022-8.5.json' with { type: 'json' };
import control2022_8_11 from './data/iso27001-2022-8.11.json' with { type: 'json' };
import control2022_8_15 from './data/iso27001-2022-8.15.json' with { type: 'json' };
import control2022_8_16 from './data/iso27001-2022-8.16.json' with { type: 'json' };
import control2022_8_19 from './data/iso27001-2022-8.19.json' with { type: 'json' };
import control2022_8_32 from './data/iso27001-2022-8.32.json' with { type: 'json' };

/** The controls, by edition and number. The spec of this folder holds each against its own examples. */
export const controls: readonly Control[] = [
  control2013_6_1_2,
  control2013_8_2_3,
  control2013_9_1_2,
  control2013_9_2_1,
  control2013_9_2_2,
  control2013_9_2_3,
  control2013_9_2_4,
  control2013_9_2_6,
  control2013_9_4_1,
  control2013_9_4_2,
  control2013_12_1_2,
  control2013_12_4_1,
  control2013_12_4_2,
  control2013_12_4_3,
  control2013_12_5_1,
  control2013_16_1_7,
  control2022_5_3,
  control2022_5_10,
  control2022_5_15,
  control2022_5_16,
  control2022_5_17,
  control2022_5_18,
  control2022_5_28,
  control2022_8_2,
  control2022_8_3,
  control2022_8_5,
  control2022_8_11,
  control2022_8_15,
  control2022_8_16,
  control2022_8_19,
  control2022_8_32,
] as unknown as readonly Control[];
