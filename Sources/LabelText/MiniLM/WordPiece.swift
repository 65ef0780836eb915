import Diagnostics
import Foundation

/// The tokeniser of uncased BERT (Devlin et al. 2018, arXiv 1810.04805; WordPiece of Schuster and
/// Nakajima 2012): text to numbers of vocabulary entries.
///
/// 1. Clean-up: NUL, U+FFFD and control, format and private characters go, white space becomes a
///    space; spaces around CJK ideographs.
/// 2. Canonical decomposition, combining marks go, lower case, character by character.
/// 3. Words between white space; every punctuation character is a word of its own.
/// 4. Each word as the longest entry that begins it, then the longest that continues (`##…`); a word
///    that cannot be put together, or has more than 100 characters, is `[UNK]`.
///
/// `[CLS]`, `[SEP]`, `[PAD]`, `[UNK]` and `[MASK]` spelt out in a text are taken for the entry, as
/// the reference does. Character classes are those of Swift's Unicode version, which is newer than the
/// reference's: they differ for characters added since.
public struct WordPiece: Sendable {
    /// More entries than this are no vocabulary.
    public static let largestVocabulary = 1_000_000
    public static let longestWord = 100

    public let count: Int
    // By bytes: Swift takes canonically equivalent strings for equal, a vocabulary does not.
    private let entries: [[UInt8]: Int]
    private let longestEntry: Int
    private let special: [(text: [UInt8], id: Int)]
    private let unknown: Int
    private let begin: Int
    private let end: Int

    /// - Parameters:
    ///   - vocabulary: one entry per line, numbered from 0; of equal ones the last counts.
    ///   - file: what errors call it.
    public init(vocabulary: [UInt8], file: String) throws(Problem) {
        // Counted before they are cut: a file of line breaks makes many slices.
        let breaks = vocabulary.count(where: { $0 == 0x0a })
        guard breaks <= Self.largestVocabulary else {
            throw .vocabularyTooLarge(file, breaks, Self.largestVocabulary)
        }
        let mark = vocabulary.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        var lines = vocabulary[mark...].split(separator: 0x0a, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        guard lines.count <= Self.largestVocabulary else {
            throw .vocabularyTooLarge(file, lines.count, Self.largestVocabulary)
        }
        var entries: [[UInt8]: Int] = [:]
        entries.reserveCapacity(lines.count)
        var longest = 0
        for (id, line) in lines.enumerated() {
            let entry = line.last == 0x0d ? line.dropLast() : line
            entries[Array(entry)] = id
            longest = max(longest, entry.count)
        }
        func id(_ word: String) throws(Problem) -> Int {
            guard let id = entries[Array(word.utf8)] else { throw .noEntry(file, word) }
            return id
        }
        unknown = try id("[UNK]")
        begin = try id("[CLS]")
        end = try id("[SEP]")
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].compactMap { word in
            entries[Array(word.utf8)].map { (Array(word.utf8), $0) }
        }
        self.entries = entries
        count = lines.count
        longestEntry = longest
    }

    /// `[CLS]`, the text's entries, `[SEP]`: at most `limit` numbers; what does not fit is left out.
    ///
    /// - Parameter limit: at least 2.
    public func callAsFunction(_ text: String, limit: Int = 512) -> [Int] {
        precondition(limit >= 2, "room for [CLS] and [SEP]")
        var ids = [begin]
        pieces: for piece in spelt(Array(text.utf8)) {
            switch piece {
            case .entry(let id): ids.append(id)
            case .text(let bytes):
                for word in Self.words(String(decoding: bytes, as: UTF8.self)) {
                    append(word, to: &ids)
                    if ids.count >= limit { break pieces }
                }
            }
        }
        return ids.prefix(limit - 1) + [end]
    }

    private enum Piece {
        case text(ArraySlice<UInt8>)
        case entry(Int)
    }

    /// The text cut at special entries that are spelt out in it.
    private func spelt(_ text: [UInt8]) -> [Piece] {
        var pieces: [Piece] = []
        var (start, at) = (0, 0)
        while at < text.count {
            guard text[at] == UInt8(ascii: "["),
                let hit = special.first(where: { text[at...].starts(with: $0.text) })
            else {
                at += 1
                continue
            }
            if start < at { pieces.append(.text(text[start..<at])) }
            pieces.append(.entry(hit.id))
            at += hit.text.count
            start = at
        }
        if start < at { pieces.append(.text(text[start...])) }
        return pieces
    }

    private func append(_ word: [Unicode.Scalar], to ids: inout [Int]) {
        guard word.count <= Self.longestWord else { return ids.append(unknown) }
        // Where each character begins in the word's bytes, and where the last one ends.
        var bytes: [UInt8] = []
        var bounds = [0]
        for scalar in word {
            bytes += UTF8.encode(scalar)!
            bounds.append(bytes.count)
        }
        var found: [Int] = []
        var start = 0
        while start < word.count {
            let prefix = start == 0 ? [] : Array("##".utf8)
            var end = word.count
            var match: Int?
            while end > start {
                let piece = bytes[bounds[start]..<bounds[end]]
                if piece.count + prefix.count <= longestEntry, let id = entries[prefix + piece] {
                    match = id
                    break
                }
                end -= 1
            }
            guard let match else { return ids.append(unknown) }
            found.append(match)
            start = end
        }
        ids += found
    }

    /// Words and punctuation in order: steps 1 to 3.
    static func words(_ text: String) -> [[Unicode.Scalar]] {
        var cleaned = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where !isDropped(scalar) {
            if isSpace(scalar) {
                cleaned.append(" ")
            } else if isIdeograph(scalar) {
                cleaned.append(contentsOf: [" ", scalar, " "])
            } else {
                cleaned.append(scalar)
            }
        }
        var words: [[Unicode.Scalar]] = []
        var word: [Unicode.Scalar] = []
        func close() {
            if !word.isEmpty { words.append(word) }
            word = []
        }
        for scalar in String(cleaned).decomposedStringWithCanonicalMapping.unicodeScalars
        where scalar.properties.generalCategory != .nonspacingMark {
            for lower in scalar.properties.lowercaseMapping.unicodeScalars {
                if lower.properties.isWhitespace {
                    close()
                } else if isPunctuation(lower) {
                    close()
                    words.append([lower])
                } else {
                    word.append(lower)
                }
            }
        }
        close()
        return words
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\t" || scalar == "\n" || scalar == "\r" || scalar.properties.isWhitespace
    }

    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\0", "\u{fffd}": true
        case "\t", "\n", "\r": false
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .privateUse, .surrogate: true
            default: false
            }
        }
    }

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Also what Unicode calls symbols: $ + < = > ^ ` | ~
        case 33...47, 58...64, 91...96, 123...126: true
        default:
            switch scalar.properties.generalCategory {
            case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
                .initialPunctuation, .finalPunctuation, .otherPunctuation:
                true
            default: false
            }
        }
    }

    /// The blocks of the reference; not Japanese kana and not Hangul. Extension E begins at U+2B820;
    /// that the reference begins it at U+2B920 is kept, so that the numbers are equal.
    private static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4e00...0x9fff, 0x3400...0x4dbf, 0x20000...0x2a6df, 0x2a700...0x2b73f,
            0x2b740...0x2b81f, 0x2b920...0x2ceaf, 0xf900...0xfaff, 0x2f800...0x2fa1f:
            true
        default: false
        }
    }
}
