// SPDX-License-Identifier: Apache-2.0
// Something to fill in, for whoever knows no more than a schema.

/** A small value that `schema` allows, as far as types, choices and required members go. */
export function specimen(schema, name = '') {
    const choice = schema.const ?? schema.default ?? schema.enum?.[0] ?? (schema.oneOf ?? schema.anyOf)?.find(each => 'const' in each)?.const;
    if (choice !== undefined) {
        return choice;
    }
    switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
        case 'object':
            return Object.fromEntries((schema.required ?? []).map(key => [key, specimen(schema.properties?.[key] ?? {}, key)]));
        case 'array':
            return [specimen(schema.items ?? {}, name)];
        case 'integer':
        case 'number':
            return schema.minimum ?? 1;
        case 'boolean':
            return true;
        default:
            return text(schema.format ?? name);
    }
}

/** A text for something of this name or format. */
export function text(name) {
    if (/uri/i.test(name)) {
        return 'test://static-text';
    }
    return /email/i.test(name) ? 'ada@example.com' : 'text';
}

/** What a user says who agrees to everything. */
export const answers = {
    'elicitation/create': ({ requestedSchema }) => ({
        action: 'accept',
        content: Object.fromEntries(Object.entries(requestedSchema?.properties ?? {}).map(([key, schema]) => [key, specimen(schema, key)]))
    }),
    'sampling/createMessage': () => ({ role: 'assistant', model: 'none', content: { type: 'text', text: 'Paris' } }),
    'roots/list': () => ({ roots: [{ uri: 'file:///tmp', name: 'tmp' }] })
};

/** Arguments with which a tool of the conformance server should work. Its schema says what, but for one that says it in a roundabout way. */
export function arguments_for(tool) {
    return tool.name === 'json_schema_2020_12_tool' ? { email: 'ada@example.com' } : specimen(tool.inputSchema, tool.name);
}

/** Whether this tool of the conformance server is there to fail, when it is called without a task. */
export const should_fail = tool => /error|failing/.test(tool.name);
