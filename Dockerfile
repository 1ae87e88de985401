# The Sekisho service. The Envoys of the fleet have an image of their own: envoy/Dockerfile.
FROM node:24.11.1-bookworm-slim AS build
WORKDIR /sekisho
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY proto proto
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24.11.1-bookworm-slim
WORKDIR /sekisho
ENV NODE_ENV=production SEKISHO_CONFIG=/etc/sekisho/sekisho.yaml SEKISHO_DATA=/var/lib/sekisho SEKISHO_PKI=/run/secrets
# A volume takes the owner of the folder that it is first mounted on.
RUN install -d -o node -g node -m 0750 /var/lib/sekisho
COPY --from=build /sekisho/node_modules node_modules
COPY --from=build /sekisho/dist dist
COPY --from=build /sekisho/proto proto
COPY --from=build /sekisho/package.json ./
USER 1000:1000
VOLUME /var/lib/sekisho
EXPOSE 18000 18081
# Process 1 itself: it takes SIGTERM, and it has no children that somebody would have to bury.
CMD ["node", "dist/main.js", "serve"]
