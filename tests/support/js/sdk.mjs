// SPDX-License-Identifier: Apache-2.0
// The two generations of the official TypeScript SDK behind one face, and what our clients print. The packages lie outside the source tree
// (`install`), so they are loaded from there by name.
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

/**
 * A session of SDK 1.x or 2.x (session era), as a plain user makes it: default options, so the SDK's own reconnection resumes broken streams.
 * `call(name, args, onprogress)` waits up to a minute after the last sign of progress, the SDK's own limit.
 */
export async function open_session(generation, url) {
    const require = createRequire(`${folder}/sdk_${generation}/package.json`);
    const options = { timeout: 60_000, resetTimeoutOnProgress: true };
    let client, transport, call;
    if (generation === '1x') {
        const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
        const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
        const { LoggingMessageNotificationSchema } = require('@modelcontextprotocol/sdk/types.js');
        transport = new StreamableHTTPClientTransport(new URL(url));
        client = new Client({ name: 'durable-mcp-tests', version: '1.0.0' });
        client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => say(`log ${params.level}: ${JSON.stringify(params.data)}`));
        call = (name, args, onprogress) => client.callTool({ name, arguments: args }, undefined, { ...options, onprogress });
    } else {
        const { Client, StreamableHTTPClientTransport } = require('@modelcontextprotocol/client');
        transport = new StreamableHTTPClientTransport(new URL(url));
        client = new Client({ name: 'durable-mcp-tests', version: '1.0.0' }, { versionNegotiation: { mode: 'legacy' } });
        client.setNotificationHandler('notifications/message', ({ params }) => say(`log ${params.level}: ${JSON.stringify(params.data)}`));
        call = (name, args, onprogress) => client.callTool({ name, arguments: args }, { ...options, onprogress });
    }
    client.onerror = error => say(`connection: ${error.message}`);
    await client.connect(transport);
    say(`connected to ${client.getServerVersion().name}, session ${transport.sessionId ? 'with' : 'without'} an id`);
    return { client, transport, call };
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
