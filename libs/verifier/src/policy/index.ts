export { LocalPolicyRunner, type PolicyIdentity, type PolicyRunner, type Question } from './runner.js';
export { ThreadPolicyRunner } from './thread.driver.js';
