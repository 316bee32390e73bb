export { runTour, type TourResult } from './tour.js';
