// SPDX-License-Identifier: Apache-2.0
// The two generations of the official TypeScript SDK behind one face, and what our clients print. The packages lie outside the source tree
// (`install`), so they are loaded from there by name.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import process from 'node:process';

const folder = process.env.DURABLE_MCP_JS_DIR;
if (!folder) {
    throw new Error('DURABLE_MCP_JS_DIR is not set: start this program with tests/support/js/run');
}
const start = Date.now();

/** One line of the report: seconds since the start, and what happened. */
export function say(text) {
    console.log(`[${((Date.now() - start) / 1000).toFixed(3).padStart(7)} s] ${text}`);
}

/** Loads a package, or a file of one, from what `install PART` has fetched. */
export const part = name => createRequire(`${folder}/${name}/package.json`);

/** How SDK 2.x comes to its revision: from `initialize` as long as nobody says otherwise, or from the first request on. */
const negotiations = { '2x': { mode: 'legacy' }, '2x_2026': { mode: { pin: '2026-07-28' } } };
const revisions = { '1x': '2025-11-25', '2x': '2025-11-25', '2x_2026': '2026-07-28' };

/**
 * A client as a plain user makes it: default options, so the SDK's own reconnection resumes broken streams, and its own driver asks again in
 * 2026-07-28. `which` is "1x", "2x" (both in the session era) or "2x_2026". `answers` has a function for each question that it can answer:
 * `{'elicitation/create': params => result, …}`; what has none is not among its capabilities.
 * `call(name, args, onprogress)` waits up to a minute after the last sign of progress, the SDK's own limit.
 */
export async function connect(which, url, answers = {}) {
    const options = { timeout: 60_000, resetTimeoutOnProgress: true };
    const self = { name: 'durable-mcp-tests', version: '1.0.0' };
    const capabilities = {
        ...(answers['elicitation/create'] && { elicitation: {} }),
        ...(answers['sampling/createMessage'] && { sampling: {} }),
        ...(answers['roots/list'] && { roots: { listChanged: true } })
    };
    let client, transport, call;
    if (which === '1x') {
        const require = part('sdk_1x');
        const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
        const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
        const types = require('@modelcontextprotocol/sdk/types.js');
        const schemas = {
            'elicitation/create': types.ElicitRequestSchema,
            'sampling/createMessage': types.CreateMessageRequestSchema,
            'roots/list': types.ListRootsRequestSchema
        };
        transport = new StreamableHTTPClientTransport(new URL(url));
        client = new Client(self, { capabilities });
        client.setNotificationHandler(types.LoggingMessageNotificationSchema, ({ params }) => say_log(params));
        for (const [method, answer] of Object.entries(answers)) {
            client.setRequestHandler(schemas[method], ({ params }) => answer(params));
        }
        call = (name, args, onprogress) => client.callTool({ name, arguments: args }, undefined, { ...options, onprogress });
    } else {
        const { Client, StreamableHTTPClientTransport } = part('sdk_2x')('@modelcontextprotocol/client');
        transport = new StreamableHTTPClientTransport(new URL(url));
        client = new Client(self, { capabilities, versionNegotiation: negotiations[which] });
        client.setNotificationHandler('notifications/message', ({ params }) => say_log(params));
        for (const [method, answer] of Object.entries(answers)) {
            client.setRequestHandler(method, ({ params }) => answer(params));
        }
        call = (name, args, onprogress) => client.callTool({ name, arguments: args }, { ...options, onprogress });
    }
    client.onerror = error => say(`connection: ${error.message}`);
    await client.connect(transport);
    const in_session = revisions[which] !== '2026-07-28';
    assert.equal(transport.sessionId !== undefined, in_session, 'there are sessions in one era and none in the other');
    if (in_session) {
        assert.equal(transport.protocolVersion, revisions[which]);
    } else {
        assert.equal(client.getNegotiatedProtocolVersion(), revisions[which]);
    }
    say(`connected to ${client.getServerVersion()?.name} in ${revisions[which]}, ${in_session ? 'in a session' : 'without a session'}`);
    return { client, transport, call, in_session };
}

function say_log({ level, data }) {
    say(`log ${level}: ${JSON.stringify(data)}`);
}

/** The text of a tool's result, all text parts in order. */
export function text_of(result) {
    return (result.content ?? []).filter(part => part.type === 'text').map(part => part.text).join('\n');
}

/** Runs `body`, prints what it returns as JSON on the last line, and ends the process: 0 only if nothing was thrown. */
export async function main(body) {
    try {
        const result = await body(process.argv.slice(2));
        console.log(JSON.stringify(result));
        process.exit(0);
    } catch (error) {
        say(`FAILED: ${error.stack ?? error}`);
        process.exit(1);
    }
}
