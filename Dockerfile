# The image of the webhook: one program of JavaScript, Node, and nothing to build or test with; no shell either.
#   docker build --tag bulkhead:0.1.0 .
# BASE is an image with Node 24 as /nodejs/bin/node or in the PATH, and with nothing else, best by its digest:
#   docker build --tag bulkhead:0.1.0 --build-arg BASE=REGISTRY/distroless/nodejs24-debian13:nonroot .

ARG BASE=distroless/nodejs24-debian13:nonroot

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json build.ts ./
COPY src src
RUN npm run build

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
# Objects of a list live for a moment: a small young generation lets go of them, where the default keeps 130 MB. With 4 an idle process
# keeps 93 MiB, with 2 it keeps 87. What the start leaves behind is let go of once, for which a program needs leave (commands/serve.ts).
ENTRYPOINT ["node", "--max-semi-space-size=2", "--expose-gc", "/app/dist/main.js"]
CMD ["serve"]
