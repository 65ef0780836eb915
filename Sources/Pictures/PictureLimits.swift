/// What a picture may ask for before it is refused.
public struct PictureLimits: Hashable, Sendable {
    /// Width times height, as the header says, before anything is decoded.
    public var pixels = 50_000_000
    /// Bytes of a file.
    public var fileBytes = 256 << 20
    /// Scans of a progressive JPEG. Large pictures may have fewer: scans times pixels are at most 2·10⁹,
    /// or 20 scans.
    public var scans = 200
    /// Warnings of the JPEG or PNG library.
    public var warnings = 100

    public init() {}

    /// A file of a few bytes for each scan could otherwise ask for minutes of work.
    func scans(ofPixels count: Int) -> Int { min(scans, max(20, 2_000_000_000 / max(1, count))) }
}
