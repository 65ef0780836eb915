import Randomness
import Testing

@testable import Files

struct UTF8Tests {
    /// Against the standard library's validator: all two-byte texts and random longer ones.
    @Test func utf8AsTheStandardLibrary() {
        func offset(_ bytes: [UInt8]) -> Int? {
            var parser = Unicode.UTF8.ForwardParser()
            var rest = bytes.makeIterator()
            var at = 0
            while true {
                switch parser.parseScalar(from: &rest) {
                case .valid(let scalar): at += scalar.count
                case .emptyInput: return nil
                case .error: return at
                }
            }
        }
        for a in 0...255 as ClosedRange<UInt8> {
            for b in 0...255 as ClosedRange<UInt8> {
                if firstInvalidUTF8([a, b]) != offset([a, b]) { Issue.record("\([a, b])") }
            }
        }
        var draw = Draw(seed: 2, .tests)
        let bytes: [UInt8] = [
            0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc3, 0xe0, 0xe2, 0xed, 0xf0, 0xf1,
            0xf4,
            0xf5, 0xff,
        ]
        for _ in 0..<30_000 {
            let text = (0..<6).map { _ in bytes[draw.below(bytes.count)] }
            if firstInvalidUTF8(text) != offset(text) { Issue.record("\(text)") }
        }
        #expect(firstInvalidUTF8(Array("Gauß, Łoś, 文字, 🙂".utf8)) == nil)
    }
}
