//go:build !amd64 || purego

package jpeg

func convert444(y, cb, cr, src []byte) { convert444Generic(y, cb, cr, src) }

func convert422(y, cb, cr, src []byte) { convert422Generic(y, cb, cr, src) }

func convert420(y0, y1, cb, cr, src0, src1 []byte) { convert420Generic(y0, y1, cb, cr, src0, src1) }
