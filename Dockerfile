# The image of the webhook: one program of JavaScript, Node, and nothing to build or test with; no shell either.
#   docker build --tag bulkhead:0.1.0 .
# COMMIT is what `bulkhead version` prints beside the version:
#   docker build --tag bulkhead:0.1.0 --build-arg COMMIT=$(git rev-parse HEAD) .
# BASE is an image with Node 24 as /nodejs/bin/node or in the PATH, and with nothing else, best by its digest:
#   docker build --tag bulkhead:0.1.0 --build-arg BASE=REGISTRY/distroless/nodejs24-debian13:nonroot .

ARG BASE=distroless/nodejs24-debian13:nonroot

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json build.ts ./
COPY src src
ARG COMMIT=
RUN COMMIT=${COMMIT} npm run build

FROM ${BASE}
ENV NODE_ENV=production
# Where Node is in distroless images, which have no PATH to it.
ENV PATH=/nodejs/bin:/usr/local/bin:/usr/bin:/bin
WORKDIR /app
# Says that the JavaScript below consists of modules.
COPY package.json ./
COPY --from=build /app/dist dist
# What the demo shows.
COPY manifests/examples manifests/examples
# A number, because runAsNonRoot cannot know who a name is; the files belong to root, so that it can change none of them.
USER 65532:65532
EXPOSE 9443 8081 8080
# What a review allocates lives for a moment. Each collection of it is a pause of 0.4 ms, however much there is: with 8 MiB to fill, six
# reviews of a thousand meet one, with 2 MiB 23. A list of all namespaces fills it once, and an idle replica by and by: while nobody
# asks it is given back, for which a program needs leave (commands/tidy-up.ts).
# Until the next major collection the heap may double. By default it may grow by less than a fifth after memory was given back: 200 requests at once
# then met two major collections, which took a third of the processor time of a replica.
ENTRYPOINT ["node", "--heap-growing-percent=100", "--min-semi-space-size=8", "--max-semi-space-size=8", "--expose-gc", "/app/dist/main.js"]
CMD ["serve"]
