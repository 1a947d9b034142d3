// SPDX-License-Identifier: Apache-2.0
// resume SDK URL TOOL [ARGUMENTS [EXPECTED TEXT]]
//
// Calls one slow tool and waits for its answer, whatever happens to the server meanwhile. It does nothing about that itself: the SDK resumes the
// broken stream with Last-Event-ID.
import assert from 'node:assert/strict';
import { connect, main, say, text_of } from './sdk.mjs';

await main(async ([which, url, tool, args = '{}', expected]) => {
    const { client, call } = await connect(which, url);
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
