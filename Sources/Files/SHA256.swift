#if canImport(CryptoKit)
    import CryptoKit
#else
    import CLibcrypto
#endif

/// The hash SHA-256 (FIPS 180-4) of bytes that come in pieces.
///
///     var hash = SHA256()
///     try forEachPiece(of: path) { hash.update($0) }
///     let text = hash.finish()
///
/// This is a value: a copy goes on by itself. The system's library computes the hash, with the
/// processor's own instructions where it has them: CryptoKit on Apple's systems, libcrypto of OpenSSL
/// elsewhere.
public struct SHA256 {
    private var state = SHA256State()

    public init() {}

    /// Adds `bytes`, of any number, to those before.
    public mutating func update(_ bytes: some Sequence<UInt8>) {
        let done: Void? = bytes.withContiguousStorageIfAvailable {
            update(UnsafeRawBufferPointer($0))
        }
        if done == nil { Array(bytes).withUnsafeBytes { update($0) } }
    }

    /// Adds `bytes`, of any number, to those before.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if !bytes.isEmpty { state.update(bytes) }
    }

    /// The hash of all bytes so far, 64 lower-case hexadecimal digits. More bytes may follow.
    public func finish() -> String {
        let digits = Array("0123456789abcdef".utf8)
        let text = state.digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// The hash of `bytes`, 64 lower-case hexadecimal digits.
    public static func hex(of bytes: some Sequence<UInt8>) -> String {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }
}

// What each library is asked for: `update` with bytes, and the 32 bytes of `digest` at any time.

#if canImport(CryptoKit)
    private struct SHA256State {
        private var hash = CryptoKit.SHA256()

        mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

        var digest: [UInt8] { Array(hash.finalize()) }
    }
#else
    private struct SHA256State {
        private var context = Context()

        mutating func update(_ bytes: UnsafeRawBufferPointer) {
            if !isKnownUniquelyReferenced(&context) { context = Context(copying: context) }
            check(EVP_DigestUpdate(context.pointer, bytes.baseAddress, bytes.count))
        }

        var digest: [UInt8] {
            // Finishing spoils a context.
            let last = Context(copying: context)
            var digest = [UInt8](repeating: 0, count: 32)
            check(EVP_DigestFinal_ex(last.pointer, &digest, nil))
            return digest
        }

        /// Owns a context of libcrypto, which several copies of a value share until one changes.
        private final class Context {
            let pointer = EVP_MD_CTX_new()

            init() { check(EVP_DigestInit_ex(pointer, EVP_sha256(), nil)) }

            init(copying other: Context) { check(EVP_MD_CTX_copy_ex(pointer, other.pointer)) }

            deinit { EVP_MD_CTX_free(pointer) }
        }
    }

    /// Nothing can fail here but an OpenSSL whose configuration has no SHA-256, or memory.
    private func check(_ status: Int32) {
        precondition(status == 1, "libcrypto does not compute SHA-256")
    }
#endif
