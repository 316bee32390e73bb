export { type AgentPart, cast, type Part, People } from './people.js';
