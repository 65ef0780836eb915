import Testing

@testable import Files

/// What files are by their first bytes.
@Suite struct FileKindTests {
    private static func zip(_ name: String) -> [UInt8] {
        [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 22) + [UInt8(name.utf8.count), 0, 0, 0]
            + Array(name.utf8)
    }
    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }
    private static func header(_ length: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text("{\"a\"")
    }

    static let files: [(bytes: [UInt8], kind: FileKind?)] = [
        ([], .empty),
        (text("<!DOCTYPE html>\n<html>"), .html), (text("\n  <HTML><head>"), .html),
        (text("<?xml version=\"1.0\"?>\n<html>"), .html),
        (text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), .lfsPointer),
        ([0x1F, 0x8B, 8, 0], .compressed("a gzip file", with: "gunzip or tar -xzf")),
        (text("BZh91AY"), .compressed("a bzip2 file", with: "bunzip2 or tar -xjf")),
        (
            [UInt8](repeating: 0x61, count: 257) + text("ustar"),
            .compressed("a tar archive", with: "tar -xf")
        ),
        (zip("archive/data.pkl"), .pyTorch), (zip("w/constants.pkl"), .pyTorch),
        (zip("w/.format_version"), .pyTorch), (zip("fc.weight.npy"), .npz),
        (zip("metadata.json"), .keras), (zip("w.pth"), .zip("w.pth")),
        ([0x50, 0x4B, 5, 6] + [UInt8](repeating: 0, count: 18), .zip("")),
        ([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8], .pyTorch),
        ([0x80, 4, 0x95, 0, 0, 0, 0], .pickle(isJoblib: false)),
        ([0x80, 3] + text("csklearn.linear_model\nRidge\n"), .pickle(isJoblib: true)),
        ([0x89] + text("HDF\r\n\u{1A}\n"), .hdf5), ([0x93] + text("NUMPY"), .npy),
        ([8, 8, 0x12, 7] + text("pytorch"), .onnx), (text("\u{1C}\0\0\0TFL3"), .tensorFlowLite),
        (text("GGUF"), .gguf), ([0x89] + text("PNG\r\n\u{1A}\n"), .image("a PNG image")),
        (text("%PDF-1.7"), .pdf), (text("{\"a\": 1}"), .json),
        // The lengths of these headers are the magic numbers of gzip and of pickles.
        (header(0x8B1F), .safeTensors), (header(0x0280), .safeTensors), (header(8), .safeTensors),
        (text("a,b\n1,2\n"), .text), (text("é"), .text), (text("a\u{0}"), nil),
        ([0x61, 0xE9, 0x61, 0x61, 0x61, 0x61], nil), ([0, 0, 8, 3], nil), ([1], nil), ([0x80], nil),
    ]

    @Test(arguments: files.indices) func kinds(_ number: Int) {
        let (bytes, kind) = Self.files[number]
        #expect(FileKind(bytes) == kind)
        // No beginning of a file traps, and all that is said is one line.
        for count in bytes.indices { _ = FileKind(Array(bytes[..<count])) }
        if let kind {
            #expect(!kind.description.isEmpty && !kind.hintForWeights.isEmpty)
            #expect(!(kind.description + kind.hintForWeights).contains("\n"))
        }
    }
}
