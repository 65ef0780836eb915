import Diagnostics
import Files
import Foundation
import Testing

struct SHA256Tests {
    /// The examples of FIPS 180-4 and of its test vectors.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func standardVectors(_ text: String, _ expected: String) {
        #expect(SHA256.hex(of: text.utf8) == expected)
        #expect(SHA256.hex(of: Array(text.utf8)) == expected)
        #expect(SHA256.hex(of: Data(text.utf8)) == expected)
        #expect(SHA256.hex(of: text.utf8.lazy.map { $0 }) == expected, "bytes in no one place")
    }

    private let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37 ^ $0 >> 3) }

    /// Blocks have 64 bytes: pieces that end before, at and behind their ends, and empty ones.
    @Test(arguments: [1, 3, 55, 56, 63, 64, 65, 127, 128, 129, 999, 1000])
    func piecesMakeTheSameHash(_ size: Int) {
        var hash = SHA256()
        for start in stride(from: 0, to: bytes.count, by: size) {
            hash.update(bytes[start..<min(start + size, bytes.count)])
            hash.update([])
        }
        #expect(hash.finish() == SHA256.hex(of: bytes))
    }

    @Test func aCopyGoesOnByItself() {
        var hash = SHA256()
        hash.update(bytes[..<100])
        var copy = hash
        copy.update(bytes[100...])
        #expect(hash.finish() == SHA256.hex(of: bytes[..<100]))
        #expect(copy.finish() == SHA256.hex(of: bytes))
        hash.update(bytes[100...])
        #expect(hash.finish() == copy.finish(), "asking has not ended it")
    }

    @Test func aFileHasTheHashOfItsBytes() throws {
        let folder = try ScratchFolder()
        let long = Array(repeating: bytes, count: 2500).flatMap { $0 }  // more than two pieces
        try LocalFileSystem().write(long, to: folder("long"))
        var hash = SHA256()
        try forEachPiece(of: folder("long")) { hash.update($0) }
        #expect(hash.finish() == SHA256.hex(of: long))
    }
}
