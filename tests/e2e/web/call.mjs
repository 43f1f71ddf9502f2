// Calls one unary method with Connect-Web's gRPC-Web transport, as a browser would, and prints the
// outcome as one JSON object.
//
//   node call.mjs DESCRIPTORS BASE_URL SERVICE METHOD TOKEN
//
// DESCRIPTORS is what `buf build -o` writes, so that no code has to be generated.
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

const [descriptors, baseUrl, serviceName, methodName, token] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const service = registry.getService(serviceName);
const client = createClient(service, createGrpcWebTransport({ baseUrl }));

const outcome = { headers: {} };
try {
  const answer = await client[methodName](
    {},
    {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      timeoutMs: 10_000,
      onHeader: (headers) => (outcome.headers = Object.fromEntries(headers)),
    },
  );
  outcome.answer = toJson(service.method[methodName].output, answer);
} catch (error) {
  const failure = ConnectError.from(error);
  outcome.code = Code[failure.code];
  outcome.message = failure.rawMessage;
  outcome.headers = Object.fromEntries(failure.metadata);
}
console.log(JSON.stringify(outcome));
