FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The workspace: npm reads its manifest, and the server needs nothing of it.
COPY client/package.json client/
RUN npm ci
COPY . .
RUN npm run build:js && npm prune --omit=dev && rm node_modules/chat-socket-client

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /app
RUN install -d -o node -g node -m 700 data
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/migrations ./migrations
COPY --from=build /app/dist ./dist
USER node
EXPOSE 3002
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3002}/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/server.js"]
