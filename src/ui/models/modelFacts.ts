import { texts } from "@/language/language";
import { type ModelOutline, OUTLINE_IMAGE } from "@/protocol/model";
import {
  answerSeconds,
  gpuBytes,
  memoryFit,
  type Place,
  SLOW_SECONDS,
  storageFit,
} from "@/store/models/modelFit";
import type { FoundModel } from "@/store/models/models";
import type { PublishedModel } from "@/store/models/publishedModels";
import { WEIGHT_CHOICES } from "@/store/settings/settings";
import { formatBytes, formatCount, formatEstimate } from "@/text/format";
import { useModels, useSettings } from "../useApp";

interface Fact {
  readonly name: string;
  readonly value: string;
  /** What there is here of it. */
  readonly limit?: { readonly text: string; readonly isExceeded: boolean } | undefined;
}

/** What a model costs, and what there is of it here. */
export function useFacts(found: FoundModel): readonly Fact[] {
  const place = useModels((state) => state.place);
  const models = useModels((state) => state.stored);
  const { repository, outline, bytes } = found;
  const words = texts.models;
  const { id, commit, license, files } = repository;
  const stored = models.find((each) => each.id === id && each.commit === commit)?.bytes ?? 0;
  const fileBytes = weightFileBytes(found);
  const { sizes, ...memory } = useMemorySizes(fileBytes, outline.savedBytes);
  const { rowsPerImage, contextLength, bytesPerRow } = outline;
  const { width, height } = OUTLINE_IMAGE;
  return [
    { name: words.family, value: outline.family },
    {
      name: words.images,
      value: outline.hasVision ? words.reads : words.textOnly,
    },
    { name: words.license, value: license ?? words.noLicense },
    {
      name: words.download,
      value: words.files(formatBytes(bytes), files.length),
      limit: storageLimit(bytes - stored, place),
    },
    { name: words.gpu, value: sizes, limit: memoryLimit(memory.held, place) },
    ...(rowsPerImage === undefined
      ? []
      : [
          {
            name: words.image,
            value: words.imageOf(formatCount(rowsPerImage), width, height),
          },
        ]),
    { name: words.price, value: cachePrice(bytesPerRow) },
    { name: words.context, value: words.contextOf(formatCount(contextLength)) },
    ...speedFact(memory, rowsPerImage, place),
  ];
}

/** What a model of the table costs, in lines of few words, and whether it is too large or too slow here. */
export function usePublishedFacts(model: PublishedModel): {
  readonly lines: readonly string[];
  readonly limits: readonly string[];
} {
  const place = useModels((state) => state.place);
  const { weightBytes, savedBytes, rowsPerImage, bytesPerRow, contextLength } = model;
  const { sizes, ...memory } = useMemorySizes(weightBytes, savedBytes);
  const words = texts.models;
  const { width, height } = OUTLINE_IMAGE;
  const limits = [
    storageLimit(weightBytes, place),
    memoryLimit(memory.held, place),
    ...speedFact(memory, rowsPerImage, place).map(({ limit }) => limit),
  ];
  return {
    lines: [
      `${words.download}: ${formatBytes(weightBytes)} · ${words.context}: ${words.contextOf(formatCount(contextLength))}`,
      `${words.image}: ${words.imageOf(formatCount(rowsPerImage), width, height)}`,
      `${words.gpu}: ${sizes}`,
      `${words.price}: ${cachePrice(bytesPerRow)}`,
    ],
    limits: limits.flatMap((limit) => (limit?.isExceeded ? limit.text : [])),
  };
}

interface HeldBytes {
  /** Of the weights as in their file, at most in 16 bits. */
  readonly wide: number;
  /** By the present choice. */
  readonly held: number;
}

/** Bytes of the weights in every form. */
function useMemorySizes(
  fileBytes: number,
  savedBytes: ModelOutline["savedBytes"],
): HeldBytes & { readonly sizes: string } {
  const words = texts.models;
  const inMemory = gpuBytes(fileBytes, savedBytes);
  const chosen = useSettings((state) => state.weights);
  const sizes = WEIGHT_CHOICES.flatMap((choice) => {
    const size = inMemory[choice];
    return size === undefined ? [] : words.gpuOf(formatBytes(size), words.weightsOf[choice]);
  });
  const { file: wide } = inMemory;
  return { sizes: sizes.join(" · "), wide, held: inMemory[chosen] ?? wide };
}

/** Bytes of a thousand tokens in every type of the cache. */
function cachePrice({ f16, q8, q4 }: ModelOutline["bytesPerRow"]): string {
  const { cacheTypeOf, gpuOf, priceOf } = texts.models;
  const size = (bytes: number, format: string) => gpuOf(formatBytes(1000 * bytes), format);
  const sizes = [size(f16, cacheTypeOf.f16), size(q8, cacheTypeOf.q8), size(q4, cacheTypeOf.q4)];
  return priceOf(sizes.join(" · "));
}

function weightFileBytes({ repository }: FoundModel): number {
  return repository.files
    .filter(({ name }) => name.endsWith(".safetensors"))
    .reduce((sum, file) => sum + file.bytes, 0);
}

function storageLimit(missing: number, place: Place): Fact["limit"] {
  const fit = storageFit(missing, place);
  if (fit === "unknown") return undefined;
  const free = formatBytes(place.freeBytes ?? 0);
  return { text: texts.models.roomIn[fit](free), isExceeded: fit === "tooLarge" };
}

function memoryLimit(bytes: number, place: Place): Fact["limit"] {
  const fit = memoryFit(bytes, place);
  const { deviceHas } = texts.models;
  if (fit === "unknown") return { text: deviceHas.unknown, isExceeded: false };
  const has = formatBytes(place.deviceBytes ?? 0);
  return { text: deviceHas[fit](has), isExceeded: fit === "tooLarge" };
}

function speedFact(
  { wide, held }: HeldBytes,
  promptTokens: number | undefined,
  { rate }: Place,
): Fact[] {
  if (!rate) return [];
  const seconds = answerSeconds(wide, rate, promptTokens, held);
  const words = texts.models;
  const time = formatEstimate(seconds);
  const isExceeded = seconds > SLOW_SECONDS;
  if (!isExceeded) return [{ name: words.speed, value: words.speedOf(time) }];
  return [{ name: words.speed, value: "", limit: { text: words.tooSlow(time), isExceeded } }];
}
