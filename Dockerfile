# The image of the webhook: one program of JavaScript, Node, and nothing to build or test with; no shell either.
#   docker build --tag bulkhead:0.1.0 .
# COMMIT is what `bulkhead version` prints beside the version:
#   docker build --tag bulkhead:0.1.0 --build-arg COMMIT=$(git rev-parse HEAD) .
# BASE is an image with Node 24 as /nodejs/bin/node or in the PATH, and with nothing else, best by its digest:
#   docker build --tag bulkhead:0.1.0 --build-arg BASE=gcr.io/distroless/nodejs24-debian13:nonroot@sha256:DIGEST .

ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot

# Its result is the same for every architecture, so it runs on the builder's own.
FROM --platform=${BUILDPLATFORM} docker.io/library/node:24-slim AS build
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
COPY manifests/overlays/example manifests/overlays/example
# A number, because runAsNonRoot cannot know who a name is; the files belong to root, so that it can change none of them.
USER 65532:65532
EXPOSE 9443 8081 8080
# The objects of a review live for a moment. Each collection of them is a pause of 0.4 ms, however much there is: with 8 MiB to fill,
# six reviews of a thousand meet one, with 2 MiB 23. An idle replica fills it by and by.
# The heap may double until the next major collection, a pause of 20 ms with 10,000 namespaces. Beside 200 policies at once the median of
# creating a pod is 47 ms with the flag and 108 ms without (soak:crowd).
ENTRYPOINT ["node", "--heap-growing-percent=100", "--min-semi-space-size=8", "--max-semi-space-size=8", "/app/dist/main.js"]
CMD ["serve"]
