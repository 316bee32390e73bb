export { Evidence } from './evidence.client.js';
export { runTour, type TourResult } from './tour.js';
