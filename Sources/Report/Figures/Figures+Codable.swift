// JSON has no number for "not finite". The figures write `null` there, so that a chart with a
// gap survives the way through a file.

extension Double {
    var orNull: Double? { isFinite ? self : nil }
}

extension Curve: Codable {
    enum CodingKeys: String, CodingKey { case name, x, mean, sd, low, high, marks, series }

    public init(from decoder: any Decoder) throws {
        let c = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try c.decode(String.self, forKey: .name),
            x: try c.decode([Double?].self, forKey: .x).map { $0 ?? .nan },
            mean: try c.decode([Double?].self, forKey: .mean).map { $0 ?? .nan },
            sd: try c.decodeIfPresent([Double?].self, forKey: .sd)?.map { $0 ?? .nan },
            low: try c.decodeIfPresent([Double?].self, forKey: .low)?.map { $0 ?? .nan },
            high: try c.decodeIfPresent([Double?].self, forKey: .high)?.map { $0 ?? .nan },
            marks: try c.decodeIfPresent(Bool.self, forKey: .marks) ?? false,
            series: try c.decodeIfPresent(Int.self, forKey: .series))
    }

    public func encode(to encoder: any Encoder) throws {
        var c = encoder.container(keyedBy: CodingKeys.self)
        try c.encode(name, forKey: .name)
        try c.encode(x.map(\.orNull), forKey: .x)
        try c.encode(mean.map(\.orNull), forKey: .mean)
        try c.encodeIfPresent(sd?.map(\.orNull), forKey: .sd)
        try c.encodeIfPresent(low?.map(\.orNull), forKey: .low)
        try c.encodeIfPresent(high?.map(\.orNull), forKey: .high)
        if marks { try c.encode(true, forKey: .marks) }
        try c.encodeIfPresent(series, forKey: .series)
    }
}

extension DotPlot.Row: Codable {
    enum CodingKeys: String, CodingKey { case name, mean, sd, points, second }

    public init(from decoder: any Decoder) throws {
        let c = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try c.decode(String.self, forKey: .name),
            mean: try c.decodeIfPresent(Double.self, forKey: .mean) ?? .nan,
            sd: try c.decodeIfPresent(Double.self, forKey: .sd),
            points: try c.decode([Double?].self, forKey: .points).map { $0 ?? .nan },
            second: try c.decodeIfPresent(Estimate.self, forKey: .second))
    }

    public func encode(to encoder: any Encoder) throws {
        var c = encoder.container(keyedBy: CodingKeys.self)
        try c.encode(name, forKey: .name)
        try c.encode(mean.orNull, forKey: .mean)
        try c.encode(sd?.orNull, forKey: .sd)
        try c.encode(points.map(\.orNull), forKey: .points)
        try c.encodeIfPresent(second, forKey: .second)
    }
}

extension HeatMap: Codable {
    enum CodingKeys: String, CodingKey {
        case title, rowLabels, columnLabels, values, format, rowAxis, columnAxis, maximum, note
    }

    public init(from decoder: any Decoder) throws {
        let c = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            title: try c.decode(String.self, forKey: .title),
            rowLabels: try c.decode([String].self, forKey: .rowLabels),
            columnLabels: try c.decode([String].self, forKey: .columnLabels),
            values: try c.decode([[Double?]].self, forKey: .values).map {
                $0.map { $0 ?? .nan }
            },
            format: try c.decode(Format.self, forKey: .format),
            rowAxis: try c.decode(String.self, forKey: .rowAxis),
            columnAxis: try c.decode(String.self, forKey: .columnAxis),
            maximum: try c.decodeIfPresent(Double.self, forKey: .maximum),
            note: try c.decodeIfPresent(String.self, forKey: .note))
    }

    public func encode(to encoder: any Encoder) throws {
        var c = encoder.container(keyedBy: CodingKeys.self)
        try c.encode(title, forKey: .title)
        try c.encode(rowLabels, forKey: .rowLabels)
        try c.encode(columnLabels, forKey: .columnLabels)
        try c.encode(values.map { $0.map(\.orNull) }, forKey: .values)
        try c.encode(format, forKey: .format)
        try c.encode(rowAxis, forKey: .rowAxis)
        try c.encode(columnAxis, forKey: .columnAxis)
        try c.encodeIfPresent(maximum?.orNull, forKey: .maximum)
        try c.encodeIfPresent(note, forKey: .note)
    }
}

extension Estimate: Codable {
    enum CodingKeys: String, CodingKey { case mean, sd }

    public init(from decoder: any Decoder) throws {
        let c = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            mean: try c.decodeIfPresent(Double.self, forKey: .mean) ?? .nan,
            sd: try c.decodeIfPresent(Double.self, forKey: .sd))
    }

    public func encode(to encoder: any Encoder) throws {
        var c = encoder.container(keyedBy: CodingKeys.self)
        try c.encode(mean.orNull, forKey: .mean)
        try c.encode(sd?.orNull, forKey: .sd)
    }
}
