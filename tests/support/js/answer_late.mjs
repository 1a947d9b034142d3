// SPDX-License-Identifier: Apache-2.0
// answer_late SDK URL TOOL ARGUMENTS ANSWER FIFO
//
// Calls a tool that asks the user something, and lets the user think: the answer (the form's content, as JSON) is given when there is something
// to read in FIFO. What happens to the server meanwhile is none of its business. Ends with the call's result, and how often it was asked.
import assert from 'node:assert/strict';
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { connect, main, say, text_of } from './sdk.mjs';

await main(async ([which, url, tool, args, answer, fifo]) => {
    const asked = [];
    // As a socket, and not as a file: a thread that is stuck in read() would keep Node from ending.
    const gate = new Socket({ fd: openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false });
    const may_answer = new Promise((resolve, reject) => gate.once('data', resolve).once('error', reject));
    const { client, call } = await connect(which, url, {
        'elicitation/create': async ({ message, requestedSchema }) => {
            asked.push(message);
            assert.equal(requestedSchema.type, 'object');
            say(`question: ${message}`);
            await may_answer;
            say('the user has answered');
            return { action: 'accept', content: JSON.parse(answer) };
        }
    });
    const result = await call(tool, JSON.parse(args));
    say(`answer: ${text_of(result)}`);
    assert.ok(!result.isError, `the tool failed: ${text_of(result)}`);
    assert.equal(asked.length, 1, 'a question is put once, also when its server has died');
    await client.close();
    return result;
});
