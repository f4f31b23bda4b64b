# The image of the webhook: compiled JavaScript, what it needs at run time, and nothing to build or test with.
#   docker build --tag bulkhead:0.1.0 .

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
# Says that the JavaScript below consists of modules.
COPY package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
# What the demo shows.
COPY manifests/examples manifests/examples
# A number, because runAsNonRoot cannot know who a name is; the files belong to root, so that it can change none of them.
USER 65532:65532
EXPOSE 9443 8081 8080
# Objects of a list live for a moment: a small young generation lets go of them, where the default keeps 130 MB.
ENTRYPOINT ["node", "--max-semi-space-size=4", "/app/dist/main.js"]
CMD ["serve"]
