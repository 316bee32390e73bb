export { type Detector, detectorsFor, isDetector, placeholderOf, replaceDetected } from './detectors.js';
