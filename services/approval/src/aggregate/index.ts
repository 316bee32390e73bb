export { fold, obeyed, type Rules, type Ruling, refused } from './aggregate.js';
export {
  type Actor,
  holds,
  type Kind,
  kindOfId,
  kinds,
  type PersonRole,
  personRoles,
  principalPattern,
} from './principal-kind.js';
