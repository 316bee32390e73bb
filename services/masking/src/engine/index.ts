export {
  described,
  FACTS_BYTES,
  type Inspected,
  inspectParsed,
  isPoisoned,
  rewriteParsed,
  type StatementInput,
} from './engine.js';
export { EnginePool, type PoolOptions, poolDefaults, type ReplacedReason } from './pool.js';
