# The bridge alone; its configuration and dataDir are mounted (docker-compose.yml).
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json ./
COPY src ./src
RUN npm ci --no-audit --no-fund && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY bridge.example.yaml README.md LICENSE ./
RUN mkdir -p /var/lib/freebusy-bridge && chown node:node /var/lib/freebusy-bridge
USER node
EXPOSE 8480
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve", "--config", "/etc/freebusy-bridge/bridge.yaml"]
