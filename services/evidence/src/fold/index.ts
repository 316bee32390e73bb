export {
  type Announcement,
  addAnnouncements,
  dueAnnouncements,
  markAnnounced,
} from './announcements.store.js';
export { type Count, countsOf } from './counts.js';
export { loadFold, openFold, readCounts, type StoredFold, saveFold } from './fold.store.js';
