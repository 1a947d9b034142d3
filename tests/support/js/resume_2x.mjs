// SPDX-License-Identifier: Apache-2.0
import { resume } from './resume.mjs';

await resume('2x');
