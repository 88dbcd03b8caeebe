"""The functions that a stranger's SQL may call, and those that it may not, by name.

Every name was looked at; a name in neither list is refused, and a test fails when the engine brings one.
Of aggregate functions the plain names are listed; combinators (``-If``, ``-Array`` …) follow the function.
"""


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


_SCALAR = {
    "Arithmetic": _words("""
abs avg2 byteSwap divide divideDecimal divideOrNull gcd ifNotFinite intDiv intDivOrNull intDivOrZero isFinite
isInfinite isNaN kqlBin kqlBinAt kqlDateTimeBinAt kqlDivide kqlMultiply kqlRangeCount lcm max2 midpoint min2
minus modulo moduloLegacy moduloOrNull moduloOrZero multiply multiplyDecimal negate plus positiveModulo
positiveModuloOrNull sqr
"""),
    "Arrays": _words("""
array arrayAUCPR arrayAll arrayAutocorrelation arrayAvg arrayBottomK arrayCompact arrayConcat arrayCount
arrayCumSum arrayCumSumNonNegative arrayDifference arrayDistinct arrayDotProduct arrayElement arrayElementOrNull
arrayEnumerate arrayEnumerateDense arrayEnumerateDenseRanked arrayEnumerateUniq arrayEnumerateUniqRanked
arrayExcept arrayExists arrayFill arrayFilter arrayFirst arrayFirstIndex arrayFirstOrNull arrayFlatten
arrayFlattenedLength arrayFold arrayIntersect arrayJaccardIndex arrayJoin arrayLast arrayLastIndex
arrayLastOrNull arrayLevenshteinDistance arrayLevenshteinDistanceWeighted arrayMap arrayMax arrayMin
arrayNormalizedGini arrayPartialReverseSort arrayPartialShuffle arrayPartialSort arrayPopBack arrayPopFront
arrayProduct arrayPushBack arrayPushFront arrayROCAUC arrayRandomSample arrayReduce arrayReduceInRanges
arrayRemove arrayResize arrayReverse arrayReverseFill arrayReverseSort arrayReverseSplit arrayRotateLeft
arrayRotateRight arrayShiftLeft arrayShiftRight arrayShingles arrayShuffle arraySimilarity arraySlice arraySort
arraySplit arraySum arraySymmetricDifference arrayTopK arrayTranspose arrayUnion arrayUniq arrayWithConstant
arrayZip arrayZipUnaligned countEqual empty emptyArrayDate emptyArrayDateTime emptyArrayFloat32
emptyArrayFloat64 emptyArrayInt16 emptyArrayInt32 emptyArrayInt64 emptyArrayInt8 emptyArrayString
emptyArrayToSingle emptyArrayUInt16 emptyArrayUInt32 emptyArrayUInt64 emptyArrayUInt8 has hasAll hasAny
hasSubstr indexOf indexOfAssumeSorted length notEmpty notHas randomHadamardTransform range replicate reverse
"""),
    "Bit": _words("""
bitAnd bitCount bitHammingDistance bitNot bitOr bitRotateLeft bitRotateRight bitShiftLeft bitShiftRight bitSlice
bitTest bitTestAll bitTestAny bitXor
"""),
    "Bitmap": _words("""
bitmapAnd bitmapAndCardinality bitmapAndnot bitmapAndnotCardinality bitmapBuild bitmapCardinality bitmapContains
bitmapHasAll bitmapHasAny bitmapMax bitmapMin bitmapOr bitmapOrCardinality bitmapSubsetInRange bitmapSubsetLimit
bitmapToArray bitmapTransform bitmapXor bitmapXorCardinality subBitmap
"""),
    "Comparison": _words("""
equals globalIn globalInIgnoreSet globalNotIn globalNotInIgnoreSet globalNotNullIn globalNotNullInIgnoreSet
globalNullIn globalNullInIgnoreSet greater greaterOrEquals in inIgnoreSet isDistinctFrom isNotDistinctFrom less
lessOrEquals notEquals notIn notInIgnoreSet notNullIn notNullInIgnoreSet nullIn nullInIgnoreSet
"""),
    "Conditional": _words("""
clamp greatest if least multiIf
"""),
    "Dates and Times": _words("""
UTCTimestamp YYYYMMDDToDate YYYYMMDDToDate32 YYYYMMDDhhmmssToDateTime YYYYMMDDhhmmssToDateTime64 addDate addDays
addHours addInterval addMicroseconds addMilliseconds addMinutes addMonths addNanoseconds addQuarters addSeconds
addTupleOfIntervals addWeeks addYears age changeDay changeHour changeMinute changeMonth changeSecond changeYear
dateDiff dateName dateTrunc formatDateTime formatDateTimeInJodaSyntax fromDaysSinceYearZero
fromDaysSinceYearZero32 fromModifiedJulianDay fromModifiedJulianDayOrNull fromUTCTimestamp fromUnixTimestamp
fromUnixTimestampInJodaSyntax localtime makeDate makeDate32 makeDateTime makeDateTime64 monthName now now64
nowInBlock nowInBlock64 serverTimezone subDate subtractDays subtractHours subtractInterval subtractMicroseconds
subtractMilliseconds subtractMinutes subtractMonths subtractNanoseconds subtractQuarters subtractSeconds
subtractTupleOfIntervals subtractWeeks subtractYears timeDiff timeSlot timeSlots timestamp timezone timezoneOf
timezoneOffset toDayOfMonth toDayOfWeek toDayOfYear toDaysInMonth toDaysSinceYearZero toHour toISOWeek toISOYear
toLastDayOfMonth toLastDayOfWeek toMicrosecond toMillisecond toMinute toModifiedJulianDay
toModifiedJulianDayOrNull toMonday toMonth toMonthNumSinceEpoch toNanosecond toQuarter toRelativeDayNum
toRelativeHourNum toRelativeMinuteNum toRelativeMonthNum toRelativeQuarterNum toRelativeSecondNum
toRelativeWeekNum toRelativeYearNum toSecond toStartOfDay toStartOfFifteenMinutes toStartOfFiveMinutes
toStartOfHour toStartOfISOYear toStartOfInterval toStartOfMicrosecond toStartOfMillisecond toStartOfMinute
toStartOfMonth toStartOfNanosecond toStartOfQuarter toStartOfSecond toStartOfTenMinutes toStartOfWeek
toStartOfYear toTimeWithFixedDate toTimezone toUTCTimestamp toUnixTimestamp toWeek toYYYYMM toYYYYMMDD
toYYYYMMDDhhmmss toYear toYearNumSinceEpoch toYearWeek today yesterday
"""),
    "Distance": _words("""
L1Distance L1Norm L1Normalize L2Distance L2DistanceTransposed L2DistanceTransposedQuantized L2Norm L2Normalize
L2SquaredDistance L2SquaredNorm LinfDistance LinfNorm LinfNormalize LpDistance LpNorm LpNormalize cosineDistance
cosineDistanceTransposed cosineDistanceTransposedQuantized dotProductTransposed dotProductTransposedQuantized
"""),
    "Encoding": _words("""
bin bitPositionsToArray bitmaskToArray bitmaskToList char hex hilbertDecode hilbertEncode mortonDecode
mortonEncode sqidDecode sqidEncode unbin unhex
"""),
    "Encryption": _words("""
HMAC aes_decrypt_mysql aes_encrypt_mysql decrypt encrypt tryDecrypt
"""),
    "Financial": _words("""
financialInternalRateOfReturn financialInternalRateOfReturnExtended financialNetPresentValue
financialNetPresentValueExtended
"""),
    "Geo": _words("""
MGRSToGeo MVTBoundingBox MVTBoundingBoxMercator UTMToGeo areaCartesian areaSpherical geoDistance geoToH3
geoToMGRS geoToUTM geohashDecode geohashEncode geohashesInBox geometryIntersectCartesian
geometryIntersectSpherical greatCircleAngle greatCircleDistance h3CellAreaM2 h3CellAreaRads2 h3Distance
h3EdgeAngle h3EdgeLengthKm h3EdgeLengthM h3ExactEdgeLengthKm h3ExactEdgeLengthM h3ExactEdgeLengthRads
h3GetBaseCell h3GetDestinationIndexFromUnidirectionalEdge h3GetFaces h3GetIndexesFromUnidirectionalEdge
h3GetOriginIndexFromUnidirectionalEdge h3GetPentagonIndexes h3GetRes0Indexes h3GetResolution
h3GetUnidirectionalEdge h3GetUnidirectionalEdgeBoundary h3GetUnidirectionalEdgesFromHexagon h3HexAreaKm2
h3HexAreaM2 h3HexRing h3IndexesAreNeighbors h3IsPentagon h3IsResClassIII h3IsValid h3Line h3NumHexagons
h3PointDistKm h3PointDistM h3PointDistRads h3PolygonToCells h3PolygonToCellsWithContainment h3ToCenterChild
h3ToChildren h3ToGeo h3ToGeoBoundary h3ToParent h3ToString h3UnidirectionalEdgeIsValid h3kRing
perimeterCartesian perimeterSpherical pointInEllipses pointInPolygon polygonsIntersectCartesian
polygonsIntersectSpherical readWKB readWKT stringToH3 svg wkb wkt
"""),
    "Geo Polygon": _words("""
MVTEncodeGeom polygonAreaCartesian polygonAreaSpherical polygonConvexHullCartesian polygonPerimeterCartesian
polygonPerimeterSpherical polygonsDistanceCartesian polygonsDistanceSpherical polygonsEqualsCartesian
polygonsIntersectionCartesian polygonsIntersectionSpherical polygonsSymDifferenceCartesian
polygonsSymDifferenceSpherical polygonsUnionCartesian polygonsUnionSpherical polygonsWithinCartesian
polygonsWithinSpherical readWKBLineString readWKBMultiLineString readWKBMultiPoint readWKBMultiPolygon
readWKBPoint readWKBPolygon readWKTLineString readWKTMultiLineString readWKTMultiPoint readWKTMultiPolygon
readWKTPoint readWKTPolygon readWKTRing
"""),
    "Hash": _words("""
MD4 MD5 RIPEMD160 SHA1 SHA224 SHA256 SHA384 SHA512 SHA512_256 URLHash cityHash64 farmFingerprint64 farmHash64
gccMurmurHash halfMD5 hiveHash icebergHash intHash32 intHash64 javaHash javaHashUTF16LE jumpConsistentHash
kafkaMurmurHash keccak256 kostikConsistentHash metroHash64 murmurHash2_32 murmurHash2_64 murmurHash3_128
murmurHash3_32 murmurHash3_64 ngramMinHash ngramMinHashArg ngramMinHashArgCaseInsensitive
ngramMinHashArgCaseInsensitiveUTF8 ngramMinHashArgUTF8 ngramMinHashCaseInsensitive
ngramMinHashCaseInsensitiveUTF8 ngramMinHashUTF8 ngramSimHash ngramSimHashCaseInsensitive
ngramSimHashCaseInsensitiveUTF8 ngramSimHashUTF8 sipHash128 sipHash128Keyed sipHash128Reference
sipHash128ReferenceKeyed sipHash64 sipHash64Keyed wordShingleMinHash wordShingleMinHashArg
wordShingleMinHashArgCaseInsensitive wordShingleMinHashArgCaseInsensitiveUTF8 wordShingleMinHashArgUTF8
wordShingleMinHashCaseInsensitive wordShingleMinHashCaseInsensitiveUTF8 wordShingleMinHashUTF8
wordShingleSimHash wordShingleSimHashCaseInsensitive wordShingleSimHashCaseInsensitiveUTF8
wordShingleSimHashUTF8 wyHash64 xxHash32 xxHash64 xxHash64Spark xxh3 xxh3_128
"""),
    "IP Address": _words("""
IPv4CIDRToRange IPv4NumToString IPv4NumToStringClassC IPv4StringToNum IPv4StringToNumOrDefault
IPv4StringToNumOrNull IPv4ToIPv6 IPv6CIDRToRange IPv6NumToString IPv6StringToNum IPv6StringToNumOrDefault
IPv6StringToNumOrNull cutIPv6 isIPAddressInRange isIPv4String isIPv6String toIPv4 toIPv4OrDefault toIPv4OrNull
toIPv4OrZero toIPv6 toIPv6OrDefault toIPv6OrNull toIPv6OrZero
"""),
    "Internal": _words("""
_CAST caseWithExpression
"""),
    "JSON": _words("""
JSONAllPaths JSONAllPathsWithTypes JSONAllValues JSONArrayLength JSONDynamicPaths JSONDynamicPathsWithTypes
JSONExtract JSONExtractArrayRaw JSONExtractArrayRawCaseInsensitive JSONExtractBool
JSONExtractBoolCaseInsensitive JSONExtractCaseInsensitive JSONExtractFloat JSONExtractFloatCaseInsensitive
JSONExtractInt JSONExtractIntCaseInsensitive JSONExtractKeys JSONExtractKeysAndValues
JSONExtractKeysAndValuesCaseInsensitive JSONExtractKeysAndValuesRaw JSONExtractKeysAndValuesRawCaseInsensitive
JSONExtractKeysCaseInsensitive JSONExtractRaw JSONExtractRawCaseInsensitive JSONExtractString
JSONExtractStringCaseInsensitive JSONExtractUInt JSONExtractUIntCaseInsensitive JSONHas JSONKey JSONLength
JSONMergePatch JSONSharedDataPaths JSONSharedDataPathsWithTypes JSONType JSON_EXISTS JSON_QUERY JSON_VALUE
dynamicElement dynamicType isDynamicElementInSharedData isValidJSON prettyPrintJSON simpleJSONExtractBool
simpleJSONExtractFloat simpleJSONExtractInt simpleJSONExtractRaw simpleJSONExtractString simpleJSONExtractUInt
simpleJSONHas toJSONString
"""),
    "Logical": _words("""
and not or xor
"""),
    "Machine Learning": _words("""
evalMLMethod
"""),
    "Map": _words("""
extractKeyValuePairs extractKeyValuePairsWithEscaping map mapAdd mapAll mapApply mapConcat mapContainsKey
mapContainsKeyLike mapContainsValue mapContainsValueLike mapExists mapExtractKeyLike mapExtractValueLike
mapFilter mapFromArrays mapKeys mapPartialReverseSort mapPartialSort mapPopulateSeries mapReverseSort mapSort
mapSubtract mapUpdate mapValues
"""),
    "Mathematical": _words("""
acos acosh asin asinh atan atan2 atanh cbrt cos cosh degrees e erf erfc exp exp10 exp2 factorial hypot intExp10
intExp2 isPrime isProbablePrime lgamma log log10 log1p log2 pi pow proportionsZTest radians sigmoid sign sin
sinh sqrt tan tanh tgamma widthBucket
"""),
    "Null": _words("""
assumeNotNull coalesce firstNonDefault ifNull isNotNull isNull isNullable isZeroOrNull nullIf toNullable
"""),
    "NumericIndexedVector": _words("""
numericIndexedVectorAllValueSum numericIndexedVectorBuild numericIndexedVectorCardinality
numericIndexedVectorGetValue numericIndexedVectorPointwiseAdd numericIndexedVectorPointwiseDivide
numericIndexedVectorPointwiseEqual numericIndexedVectorPointwiseGreater
numericIndexedVectorPointwiseGreaterEqual numericIndexedVectorPointwiseLess
numericIndexedVectorPointwiseLessEqual numericIndexedVectorPointwiseMultiply
numericIndexedVectorPointwiseNotEqual numericIndexedVectorPointwiseSubtract numericIndexedVectorShortDebugString
numericIndexedVectorToMap
"""),
    "Other": _words("""
MACNumToString MACStringToNum MACStringToOUI bar blockNumber blockSerializedSize blockSize byteSize
colorOKLABToSRGB colorOKLCHToSRGB colorSRGBToOKLAB colorSRGBToOKLCH countDigits currentDatabase currentQueryID
currentSchemas currentUser defaultValueOfArgumentType defaultValueOfTypeName digits displayName dumpColumnStructure
errorCodeToName finalizeAggregation flipCoordinates formatQuery formatQueryFromJSON formatQueryOrNull
formatQuerySingleLine formatQuerySingleLineOrNull formatReadableDecimalSize formatReadableQuantity
formatReadableSize formatReadableTimeDelta generateRandomStructure getSetting getSettingOrDefault
getSizeOfEnumType getSubcolumn getTypeSerializationStreams globalVariable highlightQuery icebergBucket
icebergTruncate identity ignore indexHint initialQueryID initialQueryStartTime initializeAggregation isConstant
isDecimalOverflow lowCardinalityIndices lowCardinalityKeys materialize minSampleSizeContinuous
minSampleSizeConversion neighbor normalizeQuery normalizeQueryKeepNames normalizedQueryHash
normalizedQueryHashKeepNames obfuscateQuery obfuscateQueryWithSeed parseISO8601Duration parseQueryToJSON
parseReadableSize parseReadableSizeOrNull parseReadableSizeOrZero parseTimeDelta partitionId pgGetUserById
pgTableIsVisible queryID revision rowNumberInAllBlocks rowNumberInBlock runningAccumulate runningDifference
runningDifferenceStartingWithFirstValue throwIf toColumnTypeName toTypeName tokenizeQuery transform uptime
variantElement variantType version visibleWidth
"""),
    "Other names of these": _words("""
CARDINALITY CHARACTER_LENGTH CHAR_LENGTH DATABASE DATE_DIFF DATE_FORMAT DATE_TRUNC DAY DAYOFMONTH DAYOFWEEK
DAYOFYEAR FORMAT_BYTES FROM_BASE64 FROM_DAYS FROM_UNIXTIME HOUR INET6_ATON INET6_NTOA INET_ATON INET_NTOA
JSON_ARRAY_LENGTH LAST_DAY MAP_FROM_ARRAYS MICROSECOND MILLISECOND MINUTE MONTH NANOSECOND NATURAL_SORT_KEY
OCTET_LENGTH QUARTER REGEXP_EXTRACT REGEXP_MATCHES REGEXP_REPLACE REGEXP_SUBSTR SCHEMA SECOND ST_AsMVTGeom
ST_LineFromWKB ST_MLineFromWKB ST_MPointFromWKB ST_MPolyFromWKB ST_PointFromWKB ST_PolyFromWKB SUBSTRING_INDEX
SVG TIMESTAMP_DIFF TO_BASE64 TO_DAYS TO_UNIXTIME UTC_timestamp WKB WKT YEAR arrayAUC arrayPRAUC array_remove
array_to_string byteSlice caseWithExpr caseWithoutExpr caseWithoutExpression ceiling concat_ws curdate
current_database current_date current_query_id current_schemas current_timestamp current_user date_bin date_diff
distanceCosine distanceCosineTransposed distanceL1 distanceL2 distanceL2Squared distanceL2Transposed
distanceLinf distanceLp extractAllGroups flatten from_utc_timestamp hasAllToken hasAnyToken initial_query_id
initial_query_start_time instr isASCII jsonMergePatch lcase levenshteinDistance levenshteinDistanceUTF8 ln
localtimestamp lpad ltrim mapContains mapFromString matchPhrase mid minSampleSizeContinous mismatches mod
modOrNull normL1 normL2 normL2Squared normLinf normLp normalizeL1 normalizeL2 normalizeLinf normalizeLp
partitionID pg_get_userbyid pg_table_is_visible pmod pmodOrNull positive_modulo positive_modulo_or_null power
query_id rand32 readWkb readWkt regexpInstr regexp_instr removeAccentsUTF8 replace rpad rtrim scalarProduct
scalarProductTransposed serverTimeZone session_user splitByAlpha sqid str_to_date str_to_map substr timeZone
timeZoneOf timeZoneOffset time_bucket timestampDiff timestamp_diff toStartOfFiveMinute toTimeZone
to_utc_timestamp trim truncate ucase unnest user vectorDifference vectorSum visitParamExtractBool
visitParamExtractFloat visitParamExtractInt visitParamExtractRaw visitParamExtractString visitParamExtractUInt
visitParamHas week width_bucket yandexConsistentHash yearweek
"""),
    "QBit": _words("""
dequantizeInt8ToBFloat16 quantizeBFloat16ToInt8
"""),
    "Random Number": _words("""
fuzzBits rand rand64 randBernoulli randBinomial randCanonical randChiSquared randConstant randExponential
randFisherF randLogNormal randNegativeBinomial randNormal randPoisson randStudentT randUniform randomFixedString
randomPrintableASCII randomString randomStringUTF8
"""),
    "Rounding": _words("""
ceil floor round roundAge roundBankers roundDown roundDuration roundToExp2 trunc
"""),
    "String": _words("""
CRC32 CRC32IEEE CRC64 appendTrailingCharIfAbsent ascii base32Decode base32Encode base58Decode base58Encode
base64Decode base64Encode base64URLDecode base64URLEncode basename byteHammingDistance caseFoldUTF8
compareSubstrings concat concatAssumeInjective concatWithSeparator concatWithSeparatorAssumeInjective conv
convertCharset damerauLevenshteinDistance decodeHTMLComponent decodeXMLComponent editDistance editDistanceUTF8
encodeXMLComponent endsWith endsWithCaseInsensitive endsWithCaseInsensitiveUTF8 endsWithUTF8 extractTextFromHTML
firstLine initcap initcapUTF8 isValidASCII isValidUTF8 jaroSimilarity jaroWinklerSimilarity left leftPad
leftPadUTF8 leftUTF8 lengthUTF8 lower lowerUTF8 naturalSortKey normalizeUTF8NFC normalizeUTF8NFD
normalizeUTF8NFKC normalizeUTF8NFKCCasefold normalizeUTF8NFKD regexpExtract regexpPosition removeDiacriticsUTF8
repeat reverseUTF8 right rightPad rightPadUTF8 rightUTF8 soundex space sparseGrams sparseGramsHashes
sparseGramsHashesUTF8 sparseGramsUTF8 startsWith startsWithCaseInsensitive startsWithCaseInsensitiveUTF8
startsWithUTF8 stringBytesEntropy stringBytesUniq stringJaccardIndex stringJaccardIndexUTF8 substring
substringIndex substringIndexUTF8 substringUTF8 toValidUTF8 trimBoth trimLeft trimRight tryBase32Decode
tryBase58Decode tryBase64Decode tryBase64URLDecode upper upperUTF8
"""),
    "String Replacement": _words("""
format overlay overlayUTF8 printf regexpQuoteMeta replaceAll replaceOne replaceRegexpAll replaceRegexpOne
translate translateUTF8
"""),
    "String Search": _words("""
countMatches countMatchesCaseInsensitive countSubstrings countSubstringsCaseInsensitive
countSubstringsCaseInsensitiveUTF8 extract extractAll extractAllGroupsHorizontal extractGroups hasAllTokens
hasAnyTokens hasPhrase hasSubsequence hasSubsequenceCaseInsensitive hasSubsequenceCaseInsensitiveUTF8
hasSubsequenceUTF8 hasToken hasTokenCaseInsensitive hasTokenCaseInsensitiveOrNull hasTokenOrNull highlight ilike
like locate match matchCaseInsensitive multiFuzzyMatchAllIndices multiFuzzyMatchAny multiFuzzyMatchAnyIndex
multiMatchAllIndices multiMatchAny multiMatchAnyIndex multiSearchAllPositions
multiSearchAllPositionsCaseInsensitive multiSearchAllPositionsCaseInsensitiveUTF8 multiSearchAllPositionsUTF8
multiSearchAny multiSearchAnyCaseInsensitive multiSearchAnyCaseInsensitiveUTF8 multiSearchAnyUTF8
multiSearchFirstIndex multiSearchFirstIndexCaseInsensitive multiSearchFirstIndexCaseInsensitiveUTF8
multiSearchFirstIndexUTF8 multiSearchFirstPosition multiSearchFirstPositionCaseInsensitive
multiSearchFirstPositionCaseInsensitiveUTF8 multiSearchFirstPositionUTF8 ngramDistance
ngramDistanceCaseInsensitive ngramDistanceCaseInsensitiveUTF8 ngramDistanceUTF8 ngramSearch
ngramSearchCaseInsensitive ngramSearchCaseInsensitiveUTF8 ngramSearchUTF8 notILike notLike notMatch
notMatchCaseInsensitive position positionCaseInsensitive positionCaseInsensitiveUTF8 positionUTF8
"""),
    "String Splitting": _words("""
alphaTokens arrayStringConcat extractAllGroupsVertical ngrams reverseBySeparator splitByChar splitByNonAlpha
splitByRegexp splitByString splitByWhitespace tokens tokensForLikePattern
"""),
    "Time Series": _words("""
seriesDecomposeSTL seriesOutliersDetectTukey
"""),
    "Time Window": _words("""
hop hopEnd hopStart tumble tumbleEnd tumbleStart
"""),
    "Tuple": _words("""
dotProduct flattenTuple tuple tupleConcat tupleDivide tupleDivideByNumber tupleElement tupleHammingDistance
tupleIntDiv tupleIntDivByNumber tupleIntDivOrZero tupleIntDivOrZeroByNumber tupleMinus tupleModulo
tupleModuloByNumber tupleMultiply tupleMultiplyByNumber tupleNames tupleNegate tuplePlus
tuplePositiveModuloByNumber tupleToNameValuePairs
"""),
    "Type Conversion": _words("""
CAST DATE accurateCast accurateCastOrDefault accurateCastOrNull formatRow formatRowNoNewline
fromUnixTimestamp64Micro fromUnixTimestamp64Milli fromUnixTimestamp64Nano fromUnixTimestamp64Second
kqlParameterCast kqlToTimespan parseDateTime parseDateTime32BestEffort parseDateTime32BestEffortOrNull
parseDateTime32BestEffortOrZero parseDateTime64 parseDateTime64BestEffort parseDateTime64BestEffortOrNull
parseDateTime64BestEffortOrZero parseDateTime64BestEffortUS parseDateTime64BestEffortUSOrNull
parseDateTime64BestEffortUSOrZero parseDateTime64InJodaSyntax parseDateTime64InJodaSyntaxOrNull
parseDateTime64InJodaSyntaxOrZero parseDateTime64OrNull parseDateTime64OrZero parseDateTimeBestEffort
parseDateTimeBestEffortOrNull parseDateTimeBestEffortOrZero parseDateTimeBestEffortUS
parseDateTimeBestEffortUSOrNull parseDateTimeBestEffortUSOrZero parseDateTimeInJodaSyntax
parseDateTimeInJodaSyntaxOrNull parseDateTimeInJodaSyntaxOrZero parseDateTimeOrNull parseDateTimeOrZero
reinterpret reinterpretAsDate reinterpretAsDateTime reinterpretAsFixedString reinterpretAsFloat32
reinterpretAsFloat64 reinterpretAsInt128 reinterpretAsInt16 reinterpretAsInt256 reinterpretAsInt32
reinterpretAsInt64 reinterpretAsInt8 reinterpretAsString reinterpretAsUInt128 reinterpretAsUInt16
reinterpretAsUInt256 reinterpretAsUInt32 reinterpretAsUInt64 reinterpretAsUInt8 reinterpretAsUUID toBFloat16
toBFloat16OrNull toBFloat16OrZero toBool toDate toDate32 toDate32OrDefault toDate32OrNull toDate32OrZero
toDateOrDefault toDateOrNull toDateOrZero toDateTime toDateTime32 toDateTime64 toDateTime64OrDefault
toDateTime64OrNull toDateTime64OrZero toDateTimeOrDefault toDateTimeOrNull toDateTimeOrZero toDecimal128
toDecimal128OrDefault toDecimal128OrNull toDecimal128OrZero toDecimal256 toDecimal256OrDefault
toDecimal256OrNull toDecimal256OrZero toDecimal32 toDecimal32OrDefault toDecimal32OrNull toDecimal32OrZero
toDecimal64 toDecimal64OrDefault toDecimal64OrNull toDecimal64OrZero toDecimalString toFixedString toFloat32
toFloat32OrDefault toFloat32OrNull toFloat32OrZero toFloat64 toFloat64OrDefault toFloat64OrNull toFloat64OrZero
toInt128 toInt128OrDefault toInt128OrNull toInt128OrZero toInt16 toInt16OrDefault toInt16OrNull toInt16OrZero
toInt256 toInt256OrDefault toInt256OrNull toInt256OrZero toInt32 toInt32OrDefault toInt32OrNull toInt32OrZero
toInt64 toInt64OrDefault toInt64OrNull toInt64OrZero toInt8 toInt8OrDefault toInt8OrNull toInt8OrZero toInterval
toIntervalDay toIntervalHour toIntervalMicrosecond toIntervalMillisecond toIntervalMinute toIntervalMonth
toIntervalNanosecond toIntervalQuarter toIntervalSecond toIntervalWeek toIntervalYear toLowCardinality toString
toStringCutToZero toTime toTime64 toTime64OrNull toTime64OrZero toTimeOrNull toTimeOrZero toUInt128
toUInt128OrDefault toUInt128OrNull toUInt128OrZero toUInt16 toUInt16OrDefault toUInt16OrNull toUInt16OrZero
toUInt256 toUInt256OrDefault toUInt256OrNull toUInt256OrZero toUInt32 toUInt32OrDefault toUInt32OrNull
toUInt32OrZero toUInt64 toUInt64OrDefault toUInt64OrNull toUInt64OrZero toUInt8 toUInt8OrDefault toUInt8OrNull
toUInt8OrZero toUUID toUUIDOrZero toUnixTimestamp64Micro toUnixTimestamp64Milli toUnixTimestamp64Nano
toUnixTimestamp64Second
"""),
    "URL": _words("""
URLHierarchy URLPathHierarchy cutFragment cutQueryString cutQueryStringAndFragment
cutToFirstSignificantSubdomain cutToFirstSignificantSubdomainCustom cutToFirstSignificantSubdomainCustomRFC
cutToFirstSignificantSubdomainCustomWithWWW cutToFirstSignificantSubdomainCustomWithWWWRFC
cutToFirstSignificantSubdomainRFC cutToFirstSignificantSubdomainWithWWW cutToFirstSignificantSubdomainWithWWWRFC
cutURLParameter cutWWW decodeURLComponent decodeURLFormComponent domain domainRFC domainWithoutWWW
domainWithoutWWWRFC encodeURLComponent encodeURLFormComponent extractURLParameter extractURLParameterNames
extractURLParameters firstSignificantSubdomain firstSignificantSubdomainCustom
firstSignificantSubdomainCustomRFC firstSignificantSubdomainRFC fragment netloc path pathFull port portRFC
protocol queryString queryStringAndFragment topLevelDomain topLevelDomainRFC
"""),
    "UUID": _words("""
UUIDNumToString UUIDStringToNum UUIDToNum UUIDv7ToDateTime dateTime64ToSnowflakeID dateTimeToSnowflakeID
dateTimeToUUIDv7 generateSnowflakeID generateUUIDv4 generateUUIDv7 snowflakeIDToDateTime snowflakeIDToDateTime64
toUUIDOrDefault toUUIDOrNull
"""),
}

AGGREGATES = _words(
    """
BIT_AND BIT_OR BIT_XOR COVAR_POP COVAR_SAMP MVTEncode STD STDDEV STDDEV_POP STDDEV_SAMP ST_AsMVT VAR_POP
VAR_SAMP analysisOfVariance anova any anyHeavy anyLast anyLastRespectNulls anyLast_respect_nulls anyRespectNulls
anyValueRespectNulls any_respect_nulls any_value any_value_respect_nulls approx_top_count approx_top_k
approx_top_sum argAndMax argAndMin argMax argMin array_agg array_concat_agg avg avgWeighted boundingRatio
categoricalInformationValue contingency corr corrMatrix corrStable count covarPop covarPopMatrix covarPopStable
covarSamp covarSampMatrix covarSampStable cramersV cramersVBiasCorrected cume_dist deltaSum deltaSumTimestamp
denseRank dense_rank distinctDynamicTypes distinctJSONPaths distinctJSONPathsAndTypes entropy
estimateCompressionRatio exponentialMovingAverage exponentialTimeDecayedAvg exponentialTimeDecayedCount
exponentialTimeDecayedMax exponentialTimeDecayedSum firstValueRespectNulls first_value first_value_respect_nulls
gini groupArray groupArrayInsertAt groupArrayIntersect groupArrayLast groupArrayMovingAvg groupArrayMovingSum
groupArraySample groupArraySorted groupBitAnd groupBitOr groupBitXor groupBitmap groupBitmapAnd groupBitmapOr
groupBitmapXor groupConcat groupFormat groupNumericIndexedVector groupUniqArray group_concat hierarchicalKMeans
histogram intervalLengthSum kolmogorovSmirnovTest kurtPop kurtSamp lag lagInFrame largestTriangleThreeBuckets
lastValueRespectNulls last_value last_value_respect_nulls lead leadInFrame lttb mannWhitneyUTest max
maxIntersections maxIntersectionsPosition maxMappedArrays max_by meanZTest median medianBFloat16
medianBFloat16Weighted medianDD medianDeterministic medianExact medianExactHigh medianExactLow
medianExactWeighted medianExactWeightedInterpolated medianGK medianInterpolatedWeighted medianTDigest
medianTDigestWeighted medianTiming medianTimingWeighted mergedJSONPatch min minMappedArrays min_by
nonNegativeDerivative nothing nothingNull nothingUInt64 nth_value ntile percentRank percent_rank quantile
quantileBFloat16 quantileBFloat16Weighted quantileDD quantileDeterministic quantileExact quantileExactExclusive
quantileExactHigh quantileExactInclusive quantileExactLow quantileExactWeighted
quantileExactWeightedInterpolated quantileGK quantileInterpolatedWeighted quantilePrometheusHistogram
quantileTDigest quantileTDigestWeighted quantileTiming quantileTimingWeighted quantiles quantilesBFloat16
quantilesBFloat16Weighted quantilesDD quantilesDeterministic quantilesExact quantilesExactExclusive
quantilesExactHigh quantilesExactInclusive quantilesExactLow quantilesExactWeighted
quantilesExactWeightedInterpolated quantilesGK quantilesInterpolatedWeighted quantilesPrometheusHistogram
quantilesTDigest quantilesTDigestWeighted quantilesTiming quantilesTimingWeighted rank rankCorr regr_avgx
regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy retention row_number
sequenceCount sequenceMatch sequenceMatchEvents sequenceNextNode simpleLinearRegression singleValueOrNull
skewPop skewSamp sparkBar sparkbar stddevPop stddevPopStable stddevSamp stddevSampStable
stochasticLinearRegression stochasticLogisticRegression string_agg studentTTest studentTTestOneSample sum
sumCount sumKahan sumMapFiltered sumMapFilteredWithOverflow sumMapWithOverflow sumMappedArrays sumWithOverflow
theilsU timeSeriesAvgToGrid timeSeriesBottomKMasks timeSeriesChangesToGrid timeSeriesCountToGrid
timeSeriesDeltaToGrid timeSeriesDerivToGrid timeSeriesGroupArray timeSeriesIncreaseToGrid
timeSeriesInstantDeltaToGrid timeSeriesInstantRateToGrid timeSeriesLastToGrid timeSeriesLastTwoSamples
timeSeriesLimitKMasks timeSeriesMaxToGrid timeSeriesMinToGrid timeSeriesPredictLinearToGrid timeSeriesRateToGrid
timeSeriesResampleToGridWithStaleness timeSeriesResetsToGrid timeSeriesSumToGrid timeSeriesTimestampOfMaxToGrid
timeSeriesTimestampOfMinToGrid timeSeriesTopKMasks topK topKWeighted uniq uniqCombined uniqCombined64 uniqExact
uniqHLL12 uniqUpTo varPop varPopStable varSamp varSampStable welchTTest windowFunnel
"""
)
"""Aggregate and window functions; they see the rows they are given and nothing else."""

FUNCTIONS: frozenset[str] = frozenset().union(*_SCALAR.values())
"""Functions of their arguments, of the clock or of chance, without a reach beyond the query."""

REFUSED_FUNCTIONS = {
    "reads files, or tells of the machine's disks": _words("""
file filesystemAvailable filesystemCapacity filesystemUnreserved
"""),
    "goes over the network": _words("""
AIClassify AIEmbed AIExtract AIFilter AIGenerate AIRedact AISimilarity AITranslate aiClassify aiEmbed aiExtract
aiFilter aiGenerate aiRedact aiSimilarity aiTranslate
"""),
    "reads sources outside of the tables (dictionaries, models, word lists of the configuration)": _words("""
assignCentroid dictGet dictGetAll dictGetChildren dictGetDate dictGetDateOrDefault dictGetDateTime
dictGetDateTimeOrDefault dictGetDescendants dictGetFloat32 dictGetFloat32OrDefault dictGetFloat64
dictGetFloat64OrDefault dictGetHierarchy dictGetIPv4 dictGetIPv4OrDefault dictGetIPv6 dictGetIPv6OrDefault
dictGetInt16 dictGetInt16OrDefault dictGetInt32 dictGetInt32OrDefault dictGetInt64 dictGetInt64OrDefault
dictGetInt8 dictGetInt8OrDefault dictGetKeys dictGetOrDefault dictGetOrNull dictGetRoot dictGetString
dictGetStringOrDefault dictGetUInt16 dictGetUInt16OrDefault dictGetUInt32 dictGetUInt32OrDefault dictGetUInt64
dictGetUInt64OrDefault dictGetUInt8 dictGetUInt8OrDefault dictGetUUID dictGetUUIDOrDefault dictHas dictIsIn
naiveBayesClassifier naiveBayesClassifierWithAllProbs naiveBayesClassifierWithProb naiveBayesNgrams
regionHierarchy regionIn regionToArea regionToCity regionToContinent regionToCountry regionToDistrict
regionToName regionToPopulation regionToTopContinent
"""),
    "takes a table's structure as text, in which a column's DEFAULT may call any function": _words("""
structureToCapnProtoSchema structureToProtobufSchema
"""),
    "takes the name of a table as text, past the check of table names": _words("""
getMaxTableNameLengthForDatabase hasColumnInTable joinGet joinGetOrNull
"""),
    "tells of the process, its configuration or other people's queries": _words("""
FQDN authUser authenticatedUser buildId connectionId connection_id currentHandler currentProfiles
currentRequestURL currentRoles defaultProfiles defaultRoles enabledProfiles enabledRoles flameGraph
fullHostName getClientHTTPHeader getMacro getMergeTreeSetting getOSKernelVersion getServerPort getServerSetting
hasThreadFuzzer hostName hostname runningConcurrency serverUUID shardCount shardNum showCertificate tcpPort
zookeeperSessionUptime
"""),
    "looks into the running program or writes to its log": _words("""
addressToLine addressToLineWithInlines addressToSymbol demangle isMergeTreePartCoveredBy logTrace
mergeTreePartInfo tid
"""),
    "changes state or coordinates servers": _words("""
generateSerialID transactionID transactionLatestSnapshot transactionOldestSnapshot
"""),
    "only waits": _words("""
sleep sleepEachRow
"""),
    "belongs to the engine's own inner workings": _words("""
__actionName __applyFilter __bitBoolMaskAnd __bitBoolMaskOr __bitSwapLastTwo __bitWrapperFunc __getScalar
__groupingForCube __groupingForGroupingSets __groupingForRollup __groupingOrdinary __patchPartitionID
__scalarSubqueryResult __toYearCalendarOnly aggThrow chdb fuzzQuery nested validateNestedArraySizes
"""),
    "belongs to the time-series engine, which keeps its tags in the query's context": _words("""
timeSeriesCopyTag timeSeriesCopyTags timeSeriesExtractTag timeSeriesFromGrid timeSeriesGroupToSamplingKey
timeSeriesGroupToTags timeSeriesIdToGroup timeSeriesIdToTags timeSeriesIdToTagsGroup timeSeriesJoinTags
timeSeriesMetricTypeToSuffixes timeSeriesPrometheusValueToString timeSeriesRange timeSeriesRemoveAllTagsExcept
timeSeriesRemoveTag timeSeriesRemoveTags timeSeriesReplaceTag timeSeriesStoreTags timeSeriesTagsGroupToTags
timeSeriesTagsToGroup timeSeriesTagsToMap timeSeriesThrowDuplicateSeriesIf
"""),
}
"""Functions of the engine that were looked at and refused, by reason."""

COMBINATORS = (
    "SimpleState",
    "OrDefault",
    "Distinct",
    "Resample",
    "ForEach",
    "ArgMax",
    "ArgMin",
    "OrNull",
    "Tuple",
    "Merge",
    "State",
    "Array",
    "Map",
    "If",
)
"""Suffixes that make an aggregate function out of another."""
