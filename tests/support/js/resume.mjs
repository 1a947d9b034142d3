// SPDX-License-Identifier: Apache-2.0
// Calls one slow tool and waits for its answer, whatever happens to the server meanwhile. It does nothing about that itself: the SDK resumes the
// broken stream with Last-Event-ID.
import assert from 'node:assert/strict';
import { main, open_session, say, text_of } from './sdk.mjs';

/** URL TOOL [ARGUMENTS [EXPECTED TEXT]] */
export function resume(generation) {
    return main(async ([url, tool, args = '{}', expected]) => {
        const { client, call } = await open_session(generation, url);
        const { tools } = await client.listTools();
        say(`tools: ${tools.map(each => each.name).join(', ')}`);
        let last = -Infinity;
        const violations = [];
        const result = await call(tool, JSON.parse(args), ({ progress, total, message }) => {
            say(`progress ${progress}${total === undefined ? '' : ` of ${total}`}${message ? `: ${message}` : ''}`);
            if (progress <= last) {
                violations.push(`progress ${progress} after ${last}`);
            }
            last = progress;
        });
        say('answer received');
        assert.deepEqual(violations, [], 'an event was repeated or out of order');
        assert.ok(!result.isError, `the tool failed: ${text_of(result)}`);
        if (expected !== undefined) {
            assert.equal(text_of(result), expected);
        }
        await client.close();
        return result;
    });
}
