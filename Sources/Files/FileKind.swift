import Diagnostics

/// What a file is by its first bytes, where it is not what was asked for: so that a message can say
/// what it is and what to do.
///
/// Only well-known beginnings count, and only kinds that people mistake for weights or data.
public enum FileKind: Equatable, Sendable {
    case empty
    /// A web page: most often the answer of a server that wanted a log-in.
    case html
    /// The small text that Git leaves where `git lfs pull` has not fetched a file.
    case lfsPointer
    /// What `torch.save` writes: a zip archive, or pickles with the magic number of before 1.6.
    case pyTorch
    case safeTensors
    /// A pickle of another program.
    case pickle(isJoblib: Bool)
    case hdf5, onnx, tensorFlowLite, gguf, npy
    /// numpy's archive of arrays.
    case npz
    case keras
    /// A zip archive, with the name of its first entry.
    case zip(String)
    /// A compressed file or an archive, with what undoes it.
    case compressed(String, with: String)
    case image(String)
    case pdf
    case json
    /// Any other text: a table, a recipe, a log.
    case text

    /// Nil for bytes that begin like nothing known.
    public init?(_ bytes: [UInt8]) {
        let head = bytes.prefix(1024)
        func begins(_ text: String, at offset: Int = 0) -> Bool {
            head.dropFirst(offset).starts(with: text.utf8)
        }
        func begins(with bytes: UInt8...) -> Bool { head.starts(with: bytes) }
        if bytes.isEmpty {
            self = .empty
        } else if FileKind.isSafeTensors(bytes) {
            // First, because the length of its header can be any other kind's magic number.
            self = .safeTensors
        } else if begins("PK\u{3}\u{4}") || begins("PK\u{5}\u{6}") {
            self = FileKind.zipped(bytes)
        } else if begins(with: 0x80), let version = bytes.dropFirst().first, 2...5 ~= version {
            self = FileKind.pickled(bytes)
        } else if begins("version https://git-lfs.github.com/") {
            self = .lfsPointer
        } else if begins(with: 0x1F, 0x8B) {
            self = .compressed("a gzip file", with: "gunzip or tar -xzf")
        } else if begins("BZh") {
            self = .compressed("a bzip2 file", with: "bunzip2 or tar -xjf")
        } else if begins(with: 0xFD, 0x37, 0x7A, 0x58, 0x5A, 0) {
            self = .compressed("an xz file", with: "unxz or tar -xJf")
        } else if begins(with: 0x28, 0xB5, 0x2F, 0xFD) {
            self = .compressed("a zstd file", with: "unzstd")
        } else if begins(with: 0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C) {
            self = .compressed("a 7z archive", with: "7z x")
        } else if begins("Rar!") {
            self = .compressed("a rar archive", with: "unrar x")
        } else if begins("ustar", at: 257) {
            self = .compressed("a tar archive", with: "tar -xf")
        } else if begins(with: 0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A) {
            self = .hdf5
        } else if begins(with: 0x93), begins("NUMPY", at: 1) {
            self = .npy
        } else if begins("TFL3", at: 4) {
            self = .tensorFlowLite
        } else if begins("GGUF") {
            self = .gguf
        } else if begins(with: 0x89), begins("PNG\r\n", at: 1) {
            self = .image("a PNG image")
        } else if begins(with: 0xFF, 0xD8, 0xFF) {
            self = .image("a JPEG image")
        } else if begins("%PDF-") {
            self = .pdf
        } else if FileKind.isONNX(bytes) {
            self = .onnx
        } else if let text = FileKind.textual(bytes) {
            self = text
        } else {
            return nil
        }
    }

    /// In words, for `found …`.
    public var description: String {
        switch self {
        case .empty: "an empty file"
        case .html: "a web page (HTML)"
        case .lfsPointer: "a Git LFS pointer, which stands for a file that was not fetched"
        case .pyTorch: "a file of PyTorch"
        case .safeTensors: "a safetensors file"
        case .pickle(let isJoblib):
            isJoblib
                ? "a pickle of joblib or scikit-learn" : "a Python pickle that is not of torch.save"
        case .hdf5: "an HDF5 file, as Keras writes them"
        case .onnx: "an ONNX model"
        case .tensorFlowLite: "a TensorFlow Lite model"
        case .gguf: "a GGUF file"
        case .npy: "a NumPy array (.npy)"
        case .npz: "NumPy arrays (.npz)"
        case .keras: "a Keras model"
        case .zip(let entry):
            entry.isEmpty
                ? "an empty zip archive"
                : "a zip archive that begins with \"\(Problem.oneLine(entry, limit: 60))\""
        case .compressed(let what, _): what
        case .image(let what): what
        case .pdf: "a PDF document"
        case .json: "JSON text"
        case .text: "text"
        }
    }

    /// What to do where weights were wanted.
    public var hintForWeights: String {
        switch self {
        case .empty: "was it copied or downloaded to the end?"
        case .html, .pdf, .image: "download the file itself, not the page about it"
        case .lfsPointer: "fetch it with git lfs pull"
        case .pyTorch: "convert it first: limbeck import FILE --list shows what is in it"
        case .safeTensors: "give it to limbeck import"
        case .zip(let entry):
            entry.isEmpty ? "it holds nothing" : "if the weights are inside, unpack it first: unzip"
        case .compressed(_, let tool): "unpack it first: \(tool)"
        case .text: "weights are a safetensors file, or what torch.save wrote"
        case .npy, .npz, .hdf5, .keras, .onnx, .tensorFlowLite, .gguf, .pickle, .json:
            "save the network's weights in Python with torch.save(model.state_dict(), FILE) or "
                + "safetensors, then limbeck import"
        }
    }

    private static func pickled(_ bytes: [UInt8]) -> FileKind {
        let magic: [UInt8] = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A]
        if bytes.starts(with: magic) { return .pyTorch }
        return .pickle(isJoblib: contains(bytes, "joblib") || contains(bytes, "sklearn"))
    }

    private static func zipped(_ bytes: [UInt8]) -> FileKind {
        guard bytes.count >= 30, bytes[2] == 3 else { return .zip("") }
        let length = Int(bytes[26]) | Int(bytes[27]) << 8
        let name = String(decoding: bytes[30...].prefix(min(length, 1024)), as: UTF8.self)
        if name.hasSuffix(".npy") { return .npz }
        let last = name.split(separator: "/").last ?? ""
        // What Keras 3 puts first.
        if name == "metadata.json" || name == "config.json" { return .keras }
        let isTorch =
            name.contains("/")
            && ["data.pkl", "constants.pkl", "version", "byteorder", ".format_version"]
                .contains(last)
        return isTorch || name.contains("/data/") || name.contains("/code/") ? .pyTorch : .zip(name)
    }

    /// Eight bytes of a length below 2³², then `{"`: whole or not.
    private static func isSafeTensors(_ bytes: [UInt8]) -> Bool {
        guard bytes.count > 10, bytes[8] == UInt8(ascii: "{") else { return false }
        let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return length < 1 << 32
            && (bytes[9] == UInt8(ascii: "\"") || bytes[9] == UInt8(ascii: "}"))
    }

    /// A protocol buffer whose first fields are `ir_version` (1) and `producer_name` (2).
    private static func isONNX(_ bytes: [UInt8]) -> Bool {
        guard bytes.count > 8, bytes[0] == 8, 1...32 ~= bytes[1] else { return false }
        if bytes[2] == 0x12 {
            let length = Int(bytes[3])
            let name = bytes.dropFirst(4).prefix(length)
            return 1...64 ~= length && name.count == length && name.allSatisfy { 0x20..<0x7F ~= $0 }
        }
        return bytes[2] == 0x3A && contains(bytes, "onnx")
    }

    private static func textual(_ bytes: [UInt8]) -> FileKind? {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let text = bytes.prefix(1024).dropFirst(start).drop { $0 == 0x20 || 9...13 ~= $0 }
        let lower = String(
            decoding: text.prefix(64).map { 0x41...0x5A ~= $0 ? $0 + 32 : $0 }, as: UTF8.self)
        if ["<!doctype html", "<html", "<head", "<body", "<!--"].contains(where: lower.hasPrefix) {
            return .html
        }
        if lower.hasPrefix("<?xml") { return contains(bytes, "<html") ? .html : nil }
        let isText =
            !text.isEmpty && text.allSatisfy { 0x20..<0x7F ~= $0 || 9...13 ~= $0 || $0 > 0x7F }
        guard isText, isValidUTF8(text) else { return nil }
        return lower.hasPrefix("{\"") ? .json : .text
    }

    /// Whether the bytes are UTF-8, but for a character that may be cut at their end.
    private static func isValidUTF8(_ bytes: ArraySlice<UInt8>) -> Bool {
        (0...min(3, bytes.count - 1)).contains {
            String(validating: bytes.dropLast($0), as: UTF8.self) != nil
        }
    }

    /// Whether the first 4,096 bytes hold `word`.
    private static func contains(_ bytes: [UInt8], _ word: String) -> Bool {
        let head = bytes.prefix(4096)
        let word = Array(word.utf8)
        return head.indices.contains { head[$0] == word[0] && head[$0...].starts(with: word) }
    }
}
