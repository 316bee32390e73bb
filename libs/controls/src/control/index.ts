export { type Condition, fieldOf, meets } from './condition.js';
export {
  type Control,
  type Edition,
  type EvidenceRule,
  type Example,
  type ExampleEvent,
  editions,
  mapRecord,
} from './control.js';
export { controls } from './controls.js';
