# syntax=docker/dockerfile:1
# Built on the current LTS of Node; another by --build-arg NODE=22.
ARG NODE=24

FROM node:${NODE}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The workspace: npm reads its manifest, and the page is built of its sources.
COPY client/package.json client/
RUN npm ci
COPY . .
# The page is built with Vite here, too; what is needed to build does not go on.
RUN npm run build:js && npm prune --omit=dev && rm -rf node_modules/chat-socket-client dist/test dist/bench dist/conformance

FROM node:${NODE}-bookworm-slim
ARG COMMIT=""
ENV NODE_ENV=production BUILD_COMMIT=${COMMIT}
LABEL org.opencontainers.image.title="chat-socket-service" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.revision="${COMMIT}"
WORKDIR /app
RUN install -d -o node -g node -m 700 data
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/migrations ./migrations
COPY --from=build /app/dist ./dist
USER node
EXPOSE 3002
# Node itself is process 1, so that the signal of `docker stop` reaches it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3002}/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/server.js"]
