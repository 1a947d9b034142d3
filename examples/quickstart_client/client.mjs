// SPDX-License-Identifier: Apache-2.0
// An ordinary MCP client, made with the official TypeScript SDK: connect, call one tool, print progress and the answer. Nothing in it knows that
// the server will be killed: the SDK resumes the stream of the call by itself.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [url, tool] = process.argv.slice(2);

const client = new Client({ name: 'quickstart', version: '1.0.0' });
client.onerror = error => console.log(`(connection: ${error.message})`);
await client.connect(new StreamableHTTPClientTransport(new URL(url)));

console.log(`I call ${tool} and wait for its answer`);
const result = await client.callTool({ name: tool, arguments: {} }, undefined, {
    onprogress: ({ progress, total }) => console.log(`progress ${progress} of ${total}`),
    resetTimeoutOnProgress: true
});

console.log(`answer: ${result.content.map(part => part.text).join(' ')}`);
process.exit(result.isError ? 1 : 0);
