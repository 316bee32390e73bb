export { type AnnouncerOptions, announceFindings } from './announcer.worker.js';
