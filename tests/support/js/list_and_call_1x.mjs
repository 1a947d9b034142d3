// SPDX-License-Identifier: Apache-2.0
import { list_and_call } from './list_and_call.mjs';

await list_and_call('1x');
